# Whether a program is there for a home-manager user without home-manager's enabling it: among
# the packages of the user or of the system, or switched on by NixOS's option of the same name.
entry:
{ config, lib, ... }@args:
let
  osConfig = args.osConfig or null;
  inherit (config.home) username;

  packages =
    config.home.packages
    ++ osConfig.environment.systemPackages or [ ]
    ++ osConfig.users.users.${username}.packages or [ ];

  names = [ entry.id ] ++ entry.programs ++ entry.aliases;

  # "wrapped-obs-studio" and "neovim-unwrapped" are obs-studio and neovim.
  plainName =
    package: lib.removeSuffix "-unwrapped" (lib.removePrefix "wrapped-" (lib.getName package));

  isInstalled = lib.any (
    package: lib.isAttrs package && lib.elem (plainName package) names
  ) packages;

  # Services of the system keep their state as services; only programs work in homes.
  isOnInSystem =
    name:
    let
      value = builtins.tryEval (lib.attrByPath (lib.splitString "." name) false osConfig);
    in
    lib.hasPrefix "programs." name && value.success && value.value == true;
in
isInstalled || (osConfig != null && lib.any isOnInSystem entry.enable)
