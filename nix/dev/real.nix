# NixOS itself with a back end beside it, from a nixpkgs tree:
#
#   evaluate [ MODULE ... ] -> { config; options; ... }
{
  nixpkgs,
  impermanence,
  preservation,
  extra,
  platform,
  backend,
}:
let
  # The back ends need two functions of lib that came with NixOS 25.05.
  lib = import ../tests/lib.nix (nixpkgs + "/lib");

  backends = {
    impermanence = impermanence + "/nixos.nix";
    preservation = preservation + "/module.nix";
  };

  # preservation sets it; it came with NixOS 24.11.
  tmpfilesOfInitrd.options.boot.initrd.systemd =
    lib.optionalAttrs (backend == "preservation" && lib.versionOlder lib.trivial.release "24.11")
      {
        tmpfiles.settings = lib.mkOption {
          type = lib.types.attrsOf lib.types.anything;
          default = { };
        };
      };
in
{
  inherit lib;

  evaluate =
    modules:
    import (nixpkgs + "/nixos/lib/eval-config.nix") {
      system = platform;
      inherit lib;
      modules = [
        backends.${backend}
        tmpfilesOfInitrd
        extra
      ]
      ++ modules;
    };
}
