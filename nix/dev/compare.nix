# One of the catalogue's services against what its module in a nixpkgs declares: a line for each
# disagreement, or null where this nixpkgs does not have it. Switched on in a system that is never
# built.
{
  nixpkgs,
  id,
  extra ? { },
}:
let
  lib = import (nixpkgs + "/lib");
  imptrace = import ../.;
  inherit (imptrace.lib) paths;
  entry = imptrace.lib.services.${id};

  evaluate =
    modules:
    import (nixpkgs + "/nixos/lib/eval-config.nix") {
      system = "x86_64-linux";
      modules = [ extra ] ++ modules;
    };

  plain = evaluate [ ];

  # A switch: what is on by a set of instances needs one that fits, which nobody can make up.
  switches = lib.filter (
    name:
    let
      option = lib.attrByPath (lib.splitString "." name) { } plain.options;
    in
    option._type or null == "option" && option.type.name or null == "bool"
  ) entry.enable;

  system = evaluate [
    (lib.setAttrByPath (lib.splitString "." (lib.last switches)) (lib.mkForce true))
  ];
  inherit (system) config;

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

  units = (builtins.fromTOML (builtins.readFile entry.file)).units or [ ];
  users = lib.unique (
    lib.filter (user: user != null) (map (record: record.user or null) entry.persist)
  );
  isDynamic = lib.any (claim: claim.dynamic) (
    lib.concatMap (record: byPath.${paths.publicName record.path} or [ ]) entry.persist
  );
in
if switches == [ ] then
  null
else
  lib.concatMap ofRecord entry.persist
  ++ map (unit: "unit ${unit} is not among the module's") (
    lib.filter (unit: !(unitExists unit)) units
  )
  ++ lib.optionals (!isDynamic) (
    map (user: "user ${user} does not exist") (
      lib.filter (user: !(config.users.users ? ${user})) users
    )
  )
