# As much of nixpkgs' package set as evaluating the modules needs; nothing can be built with it.
#
# With `real` scripts are written to the store, which then must be one that can be written to.
{
  lib,
  real ? false,
}:
let
  named = name: {
    type = "derivation";
    inherit name;
    pname = name;
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
    outputs = [ "out" ];
    __toString = self: self.outPath;
  };

  format = _: {
    type = lib.types.anything;
    generate = name: _: named name;
    lib.types.atom = lib.types.anything;
  };
in
{
  inherit lib;
  path = ./nixpkgs;
  stdenv.hostPlatform = lib.systems.elaborate "x86_64-linux";
  formats = lib.genAttrs [
    "ini"
    "iniWithGlobalSection"
    "javaProperties"
    "json"
    "keyValue"
    "toml"
    "xml"
    "yaml"
  ] (_: format);
  bash = named "bash";
  coreutils = named "coreutils";
  util-linux = named "util-linux";
  python3Packages.tree-sitter.version = "0.25.2";
  callPackage =
    file: arguments:
    if baseNameOf file == "package.nix" then
      named "imptrace"
    else
      import file ({ inherit lib; } // arguments);
}
// (
  if real then
    {
      coreutils = "/usr";
      # All that the back ends build is a script of theirs: cp SCRIPT $out, and its interpreter.
      runCommand =
        _: _: text:
        builtins.head (builtins.match "[[:space:]]*cp ([^[:space:]]+).*" (lib.head (lib.splitString "\n" text)));
      writeShellScript =
        name: text: builtins.toFile (lib.strings.sanitizeDerivationName name) "#!/bin/bash\n${text}";
    }
  else
    {
      runCommand = name: _: _: named name;
      writeShellScript = name: text: named name // { inherit text; };
    }
)
