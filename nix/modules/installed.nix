# Whether a program without an enable option is installed for a home-manager user: by
# home.packages, or by the system it is on.
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
in
lib.any (package: lib.elem (lib.getName package) names) packages
