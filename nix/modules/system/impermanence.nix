# Hands what is kept to nix-community/impermanence.
{
  config,
  lib,
  options,
  utils,
  ...
}:
let
  cfg = config.environment.automaticPersistence;
  stores = lib.unique (
    lib.filter (store: store != null) (
      lib.attrValues ((import ../level-options.nix { inherit lib; }).stores cfg)
    )
  );
  inherit (import ../../lib/paths.nix) join normalise;

  # Mounted only, not copied; see copied-files.nix. Names of units come of files, so that these
  # are as planned.
  isMounted = item: item.method != "copy";
  mounted = lib.filter isMounted cfg.planned;
  directories = lib.filter (item: item.kind == "directory") cfg.kept;

  ownership = import ../ownership.nix {
    inherit lib;
    inherit (config.users) users;
  };

  # A file below a directory that comes from another store. impermanence bind mounts files
  # during activation, before that directory is mounted over them; a symbolic link that is
  # placed after the mount stays.
  isNested = item: item.kind == "file" && item.within != null;

  directory =
    item:
    { directory = item.path; }
    // ownership item
    // lib.optionalAttrs cfg.hideMounts { hideMount = true; };

  file = item: {
    file = item.path;
    method = if isNested item then "symlink" else item.method;
  };

  contents =
    store:
    let
      isHere = item: item.store == normalise store;
      files = lib.filter (item: item.kind == "file") mounted;
    in
    lib.mkIf (lib.any isHere mounted || cfg.undeclared == "keep") {
      directories = map directory (lib.filter isHere directories);
      files = map file (lib.filter isHere files);
    };

  afterDirectory = item: {
    name = "persist-${utils.escapeSystemdPath (join item.store item.path)}";
    value.unitConfig.RequiresMountsFor = [ (dirOf item.path) ];
  };
in
{
  _file = toString ./impermanence.nix;

  imports = [ ./impermanence-parents.nix ];

  config = lib.optionalAttrs (options.environment ? persistence) (
    lib.mkIf (cfg.backend == "impermanence") {
      environment.persistence = lib.genAttrs stores contents;
      systemd.services = lib.listToAttrs (map afterDirectory (lib.filter isNested mounted));
    }
  );
}
