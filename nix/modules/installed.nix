# Whether a program is there for a home-manager user without home-manager's enabling it: among
# the packages of the user or of the system, or switched on by NixOS's option of the same name.
entry:
{ config, lib, ... }@args:
let
  inherit (import ../lib/paths.nix) hasPrefix splitOn;
  osConfig = args.osConfig or null;

  names = [ entry.id ] ++ entry.programs ++ entry.aliases;
  isInstalled = lib.any (name: config.home.automaticPersistence.installed ? ${name}) names;

  # Services of the system keep their state as services; only programs work in homes.
  isOnInSystem =
    name:
    let
      value = builtins.tryEval (lib.attrByPath (splitOn "\\." name) false osConfig);
    in
    hasPrefix "programs." name && value.success && value.value == true;
in
isInstalled || (osConfig != null && lib.any isOnInSystem entry.enable)
