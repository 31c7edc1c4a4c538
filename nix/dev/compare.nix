# Some of the catalogue's services against what their modules in a nixpkgs declare: for each id the
# lines of its disagreements, or null where this nixpkgs does not have it or it has no switch.
# Switched on together in a system that is never built; `ids` is a list in JSON.
{
  nixpkgs,
  ids,
  extra ? { },
}:
let
  lib = import (nixpkgs + "/lib");
  imptrace = import ../.;
  inherit (imptrace.lib) paths;

  evaluate =
    modules:
    import (nixpkgs + "/nixos/lib/eval-config.nix") {
      system = "x86_64-linux";
      modules = [ extra ] ++ modules;
    };

  plain = evaluate [ ];

  # A switch: what is on by a set of instances needs one that fits, which nobody can make up.
  switchesOf =
    entry:
    lib.filter (
      name:
      let
        option = lib.attrByPath (lib.splitString "." name) { } plain.options;
      in
      option._type or null == "option" && option.type.name or null == "bool"
    ) entry.enable;

  entries = lib.filterAttrs (_: entry: switchesOf entry != [ ]) (
    lib.genAttrs (builtins.fromJSON ids) (id: imptrace.lib.services.${id})
  );

  system = evaluate (
    lib.mapAttrsToList (
      _: entry:
      lib.setAttrByPath (lib.splitString "." (lib.last (switchesOf entry))) (lib.mkForce true)
    ) entries
  );
  inherit (system) config options;
  lookup = import ../lib/lookup.nix { inherit options config; };

  claims = import ../lib/claims.nix {
    inherit lib;
    inherit (config.systemd) services;
    inherit (config.systemd.tmpfiles) rules;
    settings = config.systemd.tmpfiles.settings;
    inherit (config.users) users;
  };
  byPath = lib.groupBy (claim: paths.publicName claim.path) claims;

  unitExists =
    unit:
    let
      parts = builtins.match "(.*)\\.(service|socket|timer|path|target|mount)" unit;
      kinds = {
        service = config.systemd.services;
        socket = config.systemd.sockets;
        timer = config.systemd.timers;
        path = config.systemd.paths;
        target = config.systemd.targets;
        mount = { };
      };
    in
    parts == null || lib.hasInfix "*" unit || kinds.${lib.elemAt parts 1} ? ${lib.head parts};

  hasLeadingZero = mode: if lib.stringLength mode == 3 then "0${mode}" else mode;

  differs =
    what: of: catalogue: module:
    lib.optional (
      catalogue != null && module != null && catalogue != module
    ) "${what} of ${of}: the catalogue has ${catalogue}, the module ${module}";

  ofRecord =
    record:
    let
      claim = lib.head (byPath.${paths.publicName record.path} or [ null ]);
      mode = value: lib.mapNullable hasLeadingZero value;
    in
    lib.optionals (claim != null && record.kind or "directory" == "directory") (
      lib.optional (claim.dynamic != (paths.publicName record.path != record.path))
        "${record.path}: the module's unit ${if claim.dynamic then "has" else "has no"} DynamicUser"
      ++ lib.optionals (!claim.dynamic) (
        differs "mode" record.path (mode (record.mode or null)) (mode claim.mode)
        ++ differs "user" record.path (record.user or null) claim.user
        ++ differs "group" record.path (record.group or null) claim.group
      )
    );

  # An option that is followed has to name the catalogue's place, or one within it.
  followsElsewhere =
    record:
    let
      found = lookup record.follows;
      value = toString found.value;
      target = paths.publicName (
        paths.normalise "${
          lib.optionalString (!lib.hasPrefix "/" value) (record.follows-prefix or "")
        }${value}${record.follows-suffix or ""}"
      );
    in
    lib.optionals (record ? follows && plainOption record.follows) (
      if !found.exists then
        lib.optional (!(record ? before-follows)) "${record.follows} is no option with a value"
      else
        lib.optional (
          !(builtins.isList found.value)
          && found.value != null
          && !lib.hasInfix "%" value # a specifier of systemd: the path is known when the unit starts
          && !paths.covers (paths.publicName record.path) target
        ) "${record.follows} is ${value}, the catalogue has ${record.path}"
    );

  # Names that go on below an option are the user's to set.
  plainOption =
    name: (lib.attrByPath (lib.splitString "." name) { } options)._type or null == "option";

  ofEntry =
    entry:
    let
      units = (builtins.fromTOML (builtins.readFile entry.file)).units or [ ];
      users = lib.unique (
        lib.filter (user: user != null) (map (record: record.user or null) entry.persist)
      );
      isDynamic = lib.any (claim: claim.dynamic) (
        lib.concatMap (record: byPath.${paths.publicName record.path} or [ ]) entry.persist
      );
    in
    lib.concatMap ofRecord entry.persist
    ++ lib.concatMap followsElsewhere entry.persist
    ++ map (unit: "unit ${unit} is not among the module's") (
      lib.filter (unit: !(unitExists unit)) units
    )
    ++ lib.optionals (!isDynamic) (
      map (user: "user ${user} does not exist") (
        lib.filter (user: !(config.users.users ? ${user})) users
      )
    );
in
lib.genAttrs (builtins.fromJSON ids) (
  id: if entries ? ${id} then ofEntry entries.${id} else null
)
