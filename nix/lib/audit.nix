# What a configuration declares to leave on disk, and what the catalogue knows of the services that it
# enables, against what it keeps: for `imptrace audit --flake`, also of a configuration that does not
# import our modules.
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
  inherit (lib) filter mapAttrsToList;
  inherit (import ./paths.nix)
    covers
    nearest
    publicName
    setOf
    ;
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
    written = map (one: "/etc/${one.target}") (lib.attrValues config.environment.etc);
  };

  words = {
    mounted = "file system";
    stored = "store";
  };

  levels = {
    state = "normal";
    home = "normal";
    cache = "transient";
    logs = "transient";
  };

  # What the services that are enabled leave, as the catalogue knows them.
  known =
    let
      inherit (import ./in-use.nix { inherit lib options config; })
        hasWhatItRequires
        isSwitchedOn
        lookup
        renamed
        ;
      isEnabled =
        entry: entry.keeps && (entry.enable == [ ] || isSwitchedOn entry) && hasWhatItRequires entry;
      request = entry: {
        enabled = isEnabled entry;
        levels = import ./defaults.nix {
          inherit entry lookup;
          renamed = renamed entry;
          stateVersion = (lookup "system.stateVersion").value;
        };
      };
    in
    map (import ./relocate.nix claims) (
      import ./plan.nix {
        requests = lib.mapAttrs (_: request) ((import ./catalogue.nix).readAll ../services);
        stores = lib.genAttrs (import ./levels.nix).names (_: "/");
      }
    );
  # That of the directory around it, where the catalogue does not have the path itself.
  levelOf =
    let
      levels = lib.listToAttrs (map (item: lib.nameValuePair item.path item.level) known);
      places = setOf (map (item: item.path) known);
    in
    path: levels.${toString (nearest places path)} or null;

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
      level =
        let
          found = levelOf path;
        in
        if found != null then found else claim.level or levels.${claim.kind};
      declaredBy = lib.unique (map (one: one.declaredBy) found);
      keptBy =
        if keeper != null then
          "configuration"
        else if around != null && words ? ${around.kind} then
          "${words.${around.kind}} ${around.by}"
        else
          null;
      store = if keeper == null then null else keeper.store;
      isExcepted = false;
    };

  # A path that is declared by itself is known better from there, and what NixOS writes into is made
  # anew.
  isNews =
    item:
    !(lib.any (claim: claim.path == item.path) claims)
    && (boundary item.path).kind or null != "written";
  ofCatalogue = item: {
    inherit (item) path level;
    kind = if item.level == "transient" then "cache" else "state";
    declaredBy = "catalogue: ${item.source}";
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
      inventory = mapAttrsToList row (
        lib.groupBy (claim: claim.path) (claims ++ map ofCatalogue (filter isNews known))
      );
      mounts = lib.length kept;
    }
)
