# All that the system declares and keeps, for reading: an option, and a file in /etc from which the
# tool knows what the machine keeps without asking Nix.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  inherit (import ../../lib/paths.nix)
    covers
    isWithin
    join
    publicName
    ;
  cfg = config.environment.automaticPersistence;

  ofItem = prefix: item: {
    inherit (item)
      path
      store
      level
      kind
      ;
    declaredBy = prefix + item.source;
  };

  ofHome =
    home:
    map (
      item:
      ofItem "home-manager.users.${home.username}: " item
      // {
        path = join home.homeDirectory item.path;
      }
    ) home.kept;

  byHand = one: {
    inherit (one) path store kind;
    level = null;
    declaredBy = "configuration";
  };

  keptList = map (ofItem "") cfg.kept ++ lib.concatMap ofHome cfg.homes ++ map byHand cfg.declared;

  keeperOf =
    path:
    lib.findFirst (one: covers one.path path || covers one.path (publicName path)) null keptList;

  elsewhere = {
    mounted = "file system";
    stored = "store";
  };

  byPath = lib.groupBy (claim: claim.path) cfg.claims;

  row =
    path: claims:
    let
      claim = lib.head claims;
      keeper = keeperOf path;
      boundary = cfg.boundary path;
    in
    {
      inherit path;
      inherit (claim)
        kind
        user
        group
        mode
        ;
      level =
        if keeper != null && keeper.level != null then
          keeper.level
        else
          cfg.undeclaredLevels.${claim.kind};
      declaredBy = lib.unique (map (one: one.declaredBy) claims);
      keptBy =
        if keeper != null then
          keeper.declaredBy
        else if boundary != null then
          elsewhere.${boundary.kind} or null
        else
          null;
      store =
        if keeper != null then
          keeper.store
        else if boundary != null && elsewhere ? ${boundary.kind} then
          boundary.by
        else
          null;
      # What its service is told not to keep is let go of as well.
      isExcepted =
        lib.any (except: covers except path) cfg.undeclaredExcept
        || (keeper == null && (isWithin cfg.decided path || isWithin cfg.decided (publicName path)));
    };

  # What is kept by hand is as good as any.
  ofKept = one: {
    inherit (one) path store;
    level = if one.level == null then "normal" else one.level;
    kind = "state";
    user = null;
    group = null;
    mode = null;
    declaredBy = [ one.declaredBy ];
    keptBy = one.declaredBy;
    isExcepted = false;
  };
in
{
  options.environment.automaticPersistence.inventory = mkOption {
    type = types.listOf types.raw;
    readOnly = true;
    description = ''
      Everything that the system declares to leave on disk, and everything that is kept: `path`,
      `kind` (state, cache, logs, home), `level`, `user`, `group`, `mode`, `declaredBy` (a list of
      options, or catalogue entries), `keptBy` (what keeps it, or `null`), `store` and
      `isExcepted`. For reading only; `imptrace audit` shows it.
    '';
  };

  config = {
    environment.automaticPersistence.inventory =
      lib.mapAttrsToList row byPath
      ++ map ofKept (lib.filter (one: !(byPath ? ${one.path})) keptList);

    # Not on a condition that asks what is kept: that asks which files are in /etc.
    environment.etc."imptrace/kept.json" = lib.mkIf (cfg.stores != [ ]) {
      text = builtins.toJSON {
        schema = "imptrace.kept/1";
        inherit (cfg) backend;
        stores = lib.unique (map (one: one.store) keptList ++ cfg.stores);
        kept = keptList;
      };
    };
  };
}
