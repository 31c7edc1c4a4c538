# What the system declares to leave on disk, whether a catalogue knows it or not, and what happens
# to that which nothing keeps.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  internal = import ../internal.nix { inherit lib; };
  inherit (import ../../lib/paths.nix)
    ancestorsOf
    isWithin
    publicName
    setOf
    ;
  cfg = config.environment.automaticPersistence;
  levelNames = (import ../../lib/levels.nix).names;
  stores = (import ../level-options.nix { inherit lib; }).stores cfg;

  # Ours and preservation's come of what is kept, which comes of these.
  settings =
    let
      option = options.systemd.tmpfiles.settings;
      byOthers = map (
        one:
        one
        // {
          value = removeAttrs one.value [
            "imptrace"
            "preservation"
          ];
        }
      ) option.definitionsWithLocations;
    in
    (lib.mergeDefinitions option.loc option.type byOthers).optionalValue.value or { };

  mounted = lib.filter (item: item.method != "copy") cfg.planned;
  relocated = map (import ../../lib/relocate.nix cfg.claims) mounted;
  keptPaths = map (one: one.path) (relocated ++ cfg.declared);

  decided = setOf (
    lib.concatMap (request: if request.enabled then request.knows or [ ] else [ ]) (
      lib.attrValues cfg.requests
    )
  );
  sees = set: path: isWithin set path || isWithin set (publicName path);
  known = decided // setOf (keptPaths ++ cfg.undeclaredExcept);

  # One for each path; a directory that is only made to hold others is not named beside them.
  unique = map lib.head (lib.attrValues (lib.groupBy (claim: claim.path) cfg.claims));
  holdsOthers =
    let
      paths = map (claim: claim.path) unique ++ keptPaths;
      above = lib.genAttrs (lib.concatMap ancestorsOf paths) (_: true);
    in
    claim:
    claim.kind != "home"
    && lib.hasPrefix "systemd.tmpfiles" claim.declaredBy
    && above ? ${claim.path};

  isOpen =
    claim:
    !(
      sees known claim.path
      || cfg.boundary claim.path != null
      || stores.${cfg.undeclaredLevels.${claim.kind}} == null
      || holdsOthers claim
    );

  open =
    let
      candidates = lib.filter isOpen unique;
      paths = lib.genAttrs (map (claim: claim.path) candidates) (_: true);
    in
    lib.filter (claim: !(lib.any (above: paths ? ${above}) (ancestorsOf claim.path))) candidates;

  item =
    claim:
    let
      level = cfg.undeclaredLevels.${claim.kind};
    in
    {
      inherit (claim) path user group mode;
      inherit level;
      kind = "directory";
      method = "auto";
      earlyBoot = false;
      source = claim.declaredBy;
      store = (import ../../lib/paths.nix).normalise stores.${level};
      within = null;
    };

  ownership = import ../ownership.nix {
    inherit lib;
    inherit (config.users) users;
  };

  line =
    one:
    "      { ${
        lib.concatStringsSep " " (
          lib.mapAttrsToList (name: value: "${name} = ${builtins.toJSON value};") (
            { directory = one.path; } // ownership one
          )
        )
      } }  # ${one.source}";

  optionOf =
    store:
    if cfg.backend == "preservation" then
      "preservation.preserveAt.${builtins.toJSON store}.directories"
    else
      "environment.persistence.${builtins.toJSON store}.directories";

  paste = lib.concatStringsSep "\n" (
    lib.mapAttrsToList (
      store: items: "    ${optionOf store} = [\n${lib.concatMapStringsSep "\n" line items}\n    ];"
    ) (lib.groupBy (one: one.store) (map item open))
  );

  many = lib.length open;
in
{
  options.environment.automaticPersistence = {
    undeclared = mkOption {
      type = types.enum [
        "warn"
        "keep"
        "ignore"
      ];
      default = "warn";
      example = "keep";
      description = ''
        What to do with directories that the configuration itself declares (a unit's
        `StateDirectory`, `CacheDirectory` or `LogsDirectory`, systemd-tmpfiles, homes of system
        users) and that neither the catalogue nor the configuration keeps: name them all in one
        warning, keep them, or nothing. Only where a store is named.
      '';
    };

    undeclaredLevels = lib.mapAttrs (
      kind: default:
      mkOption {
        type = types.enum levelNames;
        inherit default;
        description = "Level of an undeclared directory of the kind ${kind}.";
      }
    ) {
      state = "normal";
      home = "normal";
      cache = "transient";
      logs = "transient";
    };

    undeclaredExcept = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "/var/lib/scratch" ];
      description = "Directories that may be lost: they are neither kept nor named in a warning.";
    };

    claims = internal "What units, systemd-tmpfiles and users declare to leave on disk.";

    found = internal "What is kept because the configuration declares it, and nothing else keeps it.";

    open = internal "What the configuration declares and nothing keeps.";

    decided = internal "A set of what the options of services decide on, kept or not.";
  };

  config = {
    environment.automaticPersistence = {
      claims = import ../../lib/claims.nix {
        inherit lib settings;
        inherit (config.systemd) services;
        inherit (config.systemd.tmpfiles) rules;
        inherit (config.users) users;
      };
      open = map item open;
      inherit decided;
      found = lib.optionals (cfg.undeclared == "keep") cfg.open;
    };

    warnings = lib.mkIf (cfg.stores != [ ] && cfg.undeclared == "warn" && many > 0) [
      ''
        environment.automaticPersistence: ${toString many} ${
          if many == 1 then "directory that this system declares is" else "directories that this system declares are"
        } not kept. To keep all that is found so:
            environment.automaticPersistence.undeclared = "keep";
        to keep what you choose of them:
        ${paste}
        and to let go of the others, list them in environment.automaticPersistence.undeclaredExcept.
      ''
    ];
  };
}
