# The home directories of home-manager's users, where home-manager is a module of the system.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (import ../../lib/paths.nix) ancestorsOf join;
  internal = import ../internal.nix { inherit lib; };
  cfg = config.environment.automaticPersistence;

  isDeclared =
    path: lib.any (declared: lib.elem declared.path ([ path ] ++ ancestorsOf path)) cfg.declared;

  homeOf =
    user:
    let
      inherit (user.home) automaticPersistence;
    in
    {
      inherit (user.home) username homeDirectory;
      inherit (automaticPersistence) stores;
      kept = lib.filter (
        item: !(isDeclared (join user.home.homeDirectory item.path))
      ) automaticPersistence.kept;
    };

  storedHomes =
    home:
    let
      user = config.users.users.${home.username};
      copied = lib.filter (item: item.method == "copy") home.kept;
    in
    map (
      store:
      lib.nameValuePair (join store home.homeDirectory) {
        d = {
          user = home.username;
          inherit (user) group;
          mode = user.homeMode;
        };
      }
    ) (lib.unique (map (item: item.store) copied));
in
{
  options.environment.automaticPersistence.homes = internal "What home-manager's users keep.";

  config = lib.mkMerge [
    {
      # The user's own services copy into these; impermanence and preservation create them for
      # what they mount only.
      systemd.tmpfiles.settings = lib.mkIf (lib.any (home: home.stores != [ ]) cfg.homes) {
        imptrace = lib.listToAttrs (lib.concatMap storedHomes cfg.homes);
      };

      environment.automaticPersistence.homes = map homeOf (
        lib.attrValues (config.home-manager.users or { })
      );
    }
    (lib.optionalAttrs (options ? home-manager.sharedModules) {
      home-manager.sharedModules = [ (import ../../.).homeModules.default ];
    })
  ];
}
