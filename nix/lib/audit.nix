# What a configuration declares to leave on disk against what it keeps, also of one that does not
# import our modules: for `imptrace audit --flake`.
#
#   audit nixosConfigurations.HOST -> { schema = "imptrace.inventory/1"; mounts; inventory; }
{
  config,
  options,
  lib ? pkgs.lib,
  pkgs ? null,
  ...
}:
let
  inherit (lib) mapAttrsToList;
  inherit (import ./paths.nix) covers publicName;
  ours = options.environment ? automaticPersistence;

  claims = import ./claims.nix {
    inherit lib;
    inherit (config.systemd) services;
    inherit (config.systemd.tmpfiles) rules;
    settings = removeAttrs config.systemd.tmpfiles.settings [ "preservation" ];
    inherit (config.users) users;
  };

  declared = import ../modules/declared.nix { inherit lib; };
  kept =
    lib.optionals (options.environment ? persistence) (
      declared.pathsOfImpermanence config.environment.persistence
    )
    ++ lib.optionals (options ? preservation && config.preservation.enable) (
      declared.pathsOfPreservation config.preservation.preserveAt
    );
  stores = lib.unique (map (one: one.store) kept);

  boundary = import ./boundaries.nix {
    fileSystems = lib.mapAttrs (_: one: one.fsType or "auto") config.fileSystems;
    wiped = [ "/" ];
    inherit stores;
    homes = [ ];
    written = [ ];
  };

  levels = {
    state = "normal";
    home = "normal";
    cache = "transient";
    logs = "transient";
  };

  row =
    path: found:
    let
      claim = lib.head found;
      keeper = lib.findFirst (
        one: covers one.path path || covers one.path (publicName path)
      ) null kept;
      around = boundary path;
    in
    {
      inherit path;
      inherit (claim) kind;
      level = levels.${claim.kind};
      declaredBy = lib.unique (map (one: one.declaredBy) found);
      keptBy =
        if keeper != null then
          "configuration"
        else if around != null then
          "file system ${around.by}"
        else
          null;
      store = if keeper == null then null else keeper.store;
      isExcepted = false;
    };
in
{
  schema = "imptrace.inventory/1";
}
// (
  if ours && config.environment.automaticPersistence.stores != [ ] then
    {
      inherit (config.environment.automaticPersistence) inventory mounts;
    }
  else
    {
      inventory = mapAttrsToList row (lib.groupBy (claim: claim.path) claims);
      mounts = lib.length kept;
    }
)
