# What is needed to work on imptrace.
{
  mkShell,
  callPackage,
  git,
  nixfmt,
  strace,
  shellcheck,
  python3Packages,
}:
mkShell {
  inputsFrom = [ (callPackage ./package.nix { }) ];
  packages = [
    git
    nixfmt
    shellcheck
    strace
  ]
  ++ (with python3Packages; [
    hypothesis
    mypy
    pytest
    ruff
  ]);
}
