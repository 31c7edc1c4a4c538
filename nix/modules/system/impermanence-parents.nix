# Owner and mode of the directories above what impermanence keeps, in the store.
#
# impermanence makes missing parents in the store as root's with mode 0755, and gives the
# directories in place the owner and mode of those in the store, at every activation. So a
# directory of a service would be taken from it when one inside is kept by itself, or in another
# store. Before impermanence looks, the store is told what the parents are like: as in the store
# that keeps them, as in place, or, where they are nowhere yet, as the catalogue knows them.
{
  config,
  lib,
  ...
}:
let
  inherit (import ../../lib/paths.nix)
    ancestorsOf
    covers
    join
    privateParents
    ;
  cfg = config.environment.automaticPersistence;
  ownership = import ../ownership.nix {
    inherit lib;
    inherit (config.users) users;
  };

  isOfService =
    path:
    lib.any (top: path != top && covers top path) [
      "/var/lib"
      "/var/cache"
      "/var/log"
    ];

  attributesOf =
    item: path:
    if lib.elem path (privateParents ++ [ "/root" ]) then
      { mode = "0700"; }
    else if item.within != null && path == item.within.path then
      ownership item.within
    else if isOfService path then
      removeAttrs (ownership item) [ "mode" ]
    else
      { };

  parent =
    item: path:
    let
      attributes = {
        user = "root";
        group = "root";
        mode = "0755";
      }
      // attributesOf item path;
    in
    lib.escapeShellArgs (
      [
        (join item.store path)
        attributes.user
        attributes.group
        attributes.mode
      ]
      ++ lib.optional (item.within != null) (join item.within.store path)
      ++ [ path ]
    );

  mounted = lib.filter (item: item.method != "copy") cfg.kept;
  parents = lib.unique (lib.concatMap (item: map (parent item) (ancestorsOf item.path)) mounted);
in
{
  config.system.activationScripts = lib.mkIf (cfg.backend == "impermanence" && cfg.stores != [ ]) {
    createPersistentStorageDirs.deps = [ "persistentParents" ];
    persistentParents = {
      deps = [
        "users"
        "groups"
      ];
      text = ''
        persistentParent() { # KEPT USER GROUP MODE LIKE...
          local kept=$1 like
          [ -d "$kept" ] || install -d -o "$2" -g "$3" -m "$4" -- "$kept"
          for like in "''${@:5}"; do
            if [ -d "$like" ]; then
              chown --reference="$like" -- "$kept"
              chmod --reference="$like" -- "$kept"
              break
            fi
          done
        }
        ${lib.concatMapStringsSep "\n" (arguments: "persistentParent ${arguments}") parents}
      '';
    };
  };
}
