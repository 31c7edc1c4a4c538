# The tool, with its completions and its manual page.
{
  lib,
  python3Packages,
  installShellFiles,
  libbpf,
  linuxHeaders,
  llvmPackages,
}:
let
  inherit ((fromTOML (builtins.readFile ../../pyproject.toml)).project) version description;
in
python3Packages.buildPythonApplication {
  pname = "imptrace";
  inherit version;
  pyproject = true;

  src = lib.fileset.toSource {
    root = ../..;
    fileset = lib.fileset.unions [
      ../../LICENSE
      ../../README.md
      ../../pyproject.toml
      ../../setup.py
      ../../db
      ../../docs
      ../../imptrace
      ../../nix
      ../../tests
      ../../tracer
    ];
  };

  build-system = [ python3Packages.setuptools ];

  dependencies = with python3Packages; [
    alembic
    jinja2
    python-ptrace
    rich
    sqlalchemy
    textual
    tomlkit
    tree-sitter
    tree-sitter-grammars.tree-sitter-nix
    typer
  ];

  # nixpkgs builds its grammars from their newest commits, as versions below the first release.
  pythonRelaxDeps = [ "tree-sitter-nix" ];

  # Clang without the wrapper, whose flags are for programs of the machine itself.
  nativeBuildInputs = [
    installShellFiles
    llvmPackages.clang-unwrapped
  ];
  buildInputs = [ libbpf ];
  env.BPF_CFLAGS = "-I${lib.getDev libbpf}/include -I${linuxHeaders}/include";

  # What needs no tracing: a build sandbox may forbid that. The rest is tested in CI. Elsewhere, so
  # that the folder `imptrace` of the source is not taken for the package.
  nativeCheckInputs = with python3Packages; [
    hypothesis
    pytest
  ];
  checkPhase = ''
    runHook preCheck
    mkdir ../checked
    cp -r docs nix pyproject.toml tests ../checked
    (cd ../checked && python -m pytest tests/judge tests/catalogue)
    runHook postCheck
  '';
  pythonImportsCheck = [ "imptrace.cli.app" ];

  # The usual wrapper sets PATH and PYTHONNOUSERSITE, and the traced program would inherit both:
  # it must run as it would without imptrace.
  dontWrapPythonPrograms = true;
  postFixup = ''
    buildPythonPath "$out $pythonPath"
    patchPythonScript $out/bin/imptrace

    installManPage docs/shell/imptrace.1
    installShellCompletion --cmd imptrace \
      --bash docs/shell/imptrace.bash \
      --fish docs/shell/imptrace.fish \
      --zsh docs/shell/_imptrace
  '';

  meta = {
    inherit description;
    license = lib.licenses.mit;
    mainProgram = "imptrace";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
