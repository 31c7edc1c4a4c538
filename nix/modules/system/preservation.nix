# Hands what is kept to nix-community/preservation.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.environment.automaticPersistence;
  stores = lib.unique (
    map normalise (
      lib.filter (store: store != null) (
        lib.attrValues ((import ../level-options.nix { inherit lib; }).stores cfg)
        ++ lib.concatMap (home: home.stores) cfg.homes
      )
    )
  );
  inherit (import ../../lib/paths.nix) normalise;

  # Mounted only, not copied; see copied-files.nix.
  mounted = lib.filter (item: item.method != "copy");

  ownership = import ../ownership.nix {
    inherit lib;
    inherit (config.users) users;
  };

  # systemd reads it before it starts anything, and NixOS needs the list of uids as early.
  earlyPaths = [
    "/etc/machine-id"
    "/var/lib/nixos"
  ];

  # The initrd knows few users besides root, and cannot give a path to one it does not know.
  belongsToRoot =
    item:
    let
      owned = ownership item;
    in
    owned.user or "root" == "root" && owned.group or "root" == "root";

  common =
    item:
    ownership item
    // {
      inInitrd = lib.elem item.path earlyPaths || (item.earlyBoot && belongsToRoot item);
    };

  directory =
    item:
    common item
    // {
      directory = item.path;
      mountOptions = lib.optional cfg.hideMounts "x-gvfs-hide";
    };

  # A program can only create a file through its link where the file's parent is in the store,
  # and belongs to whom it belongs to in place. preservation makes home directories by itself.
  linked =
    item:
    {
      how = "symlink";
      configureParent = dirOf item.path != ".";
    }
    // lib.optionalAttrs (item.within != null && dirOf item.path == item.within.path) {
      parent = ownership item.within;
    };

  file =
    item:
    common item
    // {
      file = item.path;
    }
    // lib.optionalAttrs (item.method == "symlink") (linked item);

  contents =
    kept: store:
    let
      items = lib.filter (item: item.store == store) (mounted kept);
      ofKind = kind: lib.filter (item: item.kind == kind) items;
    in
    {
      directories = map directory (ofKind "directory");
      files = map file (ofKind "file");
    };

  # preservation makes the directories above a user's paths with mode 0755. One that is kept itself,
  # in another store, is as there, or the two would be in each other's way.
  surroundings =
    kept: store:
    let
      around = lib.filter (item: item.store == store && item.within != null) (mounted kept);
      containers = lib.groupBy (item: item.path) (map (item: item.within) around);
    in
    lib.mapAttrsToList (
      path: containing:
      ownership (lib.head containing)
      // {
        directory = path;
        how = "_intermediate";
      }
    ) containers;

  homeContents =
    home: store:
    let
      own = contents home.kept store;
    in
    own // { directories = own.directories ++ surroundings home.kept store; };

  usersOf =
    store:
    lib.filterAttrs (_: user: user.directories != [ ] || user.files != [ ]) (
      lib.listToAttrs (map (home: lib.nameValuePair home.username (homeContents home store)) cfg.homes)
    );

  keepsMachineId = lib.any (item: item.path == "/etc/machine-id") cfg.planned;
in
{
  _file = toString ./preservation.nix;

  config = lib.optionalAttrs (options ? preservation) (
    lib.mkIf (cfg.backend == "preservation") {
      preservation = {
        enable = lib.mkIf (stores != [ ]) (lib.mkDefault true);
        preserveAt = lib.genAttrs stores (store: contents cfg.kept store // { users = usersOf store; });
      };

      # It commits a transient machine id to the disk, and fails where the id is a bind mount.
      systemd.suppressedSystemUnits = lib.mkIf keepsMachineId [
        "systemd-machine-id-commit.service"
      ];
    }
  );
}
