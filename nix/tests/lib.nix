# nixpkgs' lib, with what the back ends of today take from NixOS 25.05 where it is older.
nixpkgsLib:
let
  lib = import nixpkgsLib;
in
lib.extend (
  _: super: {
    modules = {
      importApply =
        file: arguments: super.modules.setDefaultModuleLocation file (import file arguments);
    }
    // super.modules;
    types = {
      attrsWith = { elemType, ... }: super.types.attrsOf elemType;
    }
    // super.types;
  }
)
