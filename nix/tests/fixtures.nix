# Evaluates the services of tests/catalogue, and shows what comes of it in few words.
tools:
let
  inherit (tools) lib imptrace;

  fileOf = name: ./catalogue + "/${name}.toml";
  services = [
    "always"
    "database"
    "dynamic"
    "mailer"
    "multi"
    "nameless"
    "rotator"
  ];

  mode = one: if one.mode or null == null then "" else " ${one.mode}";
  owner = one: "${one.user}:${toString one.group}${mode one}";

  # Which definitions are shown by the words that their owner, mode and method come to.
  showImpermanence =
    store:
    map (one: "${one.dirPath} ${owner one}") store.directories
    ++ map (one: "${one.filePath} ${one.method}") store.files;

  early = one: lib.optionalString one.inInitrd " early";
  how = one: lib.optionalString (one.how != "bindmount") " ${one.how}";
  showPreservation =
    store:
    map (one: "${one.directory} ${owner one}${how one}${early one}") store.directories
    ++ map (one: "${one.file} ${owner one}${how one}${early one}") store.files
    ++ lib.concatMap showPreservation (lib.attrValues store.users or { });
in
rec {
  inherit (tools) evaluate;

  evaluateFixtures =
    arguments:
    tools.evaluate (
      {
        declared = map (name: imptrace.lib.catalogue.read (fileOf name)) services;
        imports = map (name: imptrace.lib.serviceModule (fileOf name)) services;
      }
      // arguments
    );

  # The failed assertions and the warnings, which are nearly always none.
  complaints =
    { config, ... }:
    map (one: one.message) (lib.filter (one: !one.assertion) config.assertions) ++ config.warnings;

  # { STORE = [ "PATH OWNER:GROUP MODE" ]; } of the stores that keep something.
  byImpermanence =
    { config, ... }:
    lib.filterAttrs (_: shown: shown != [ ]) (
      lib.mapAttrs (_: showImpermanence) config.environment.persistence
    );
  byPreservation =
    { config, ... }:
    lib.filterAttrs (_: shown: shown != [ ]) (
      lib.mapAttrs (_: showPreservation) config.preservation.preserveAt
    );

  kept = { config, ... }: map (one: "${one.store}${one.path}") config.environment.automaticPersistence.kept;

  # A machine without an id and with one store for all levels above transient.
  oneStore = {
    environment.machineId.persistence = { };
    environment.automaticPersistence.normal.path = "/persistent";
  };

  withModules = modules: evaluateFixtures { inherit modules; };

  mailer.services.mailer.enable = true;

  # A unit that no catalogue knows.
  someState.systemd.services.some.serviceConfig = {
    StateDirectory = "some some/deep";
    CacheDirectory = "some";
    User = "alice";
    StateDirectoryMode = "0750";
  };

  separately.environment = {
    machineId.persistence = { };
    automaticPersistence = {
      transient.path = "/transient";
      normal.path = "/normal";
      important.path = "/important";
      secret.path = "/secret";
    };
  };

  always = "/var/lib/always root:root 0755";

  # NixOS with one user, and a back end.
  withBackend =
    backend: modules:
    tools.evaluate {
      beside = [ backend ];
      modules = [
        {
          users.users.alice = {
            isNormalUser = true;
            group = "users";
          };
        }
      ]
      ++ modules;
    };
  onImpermanence = withBackend "impermanence";
  onPreservation = withBackend "preservation";
  onBoth = modules: [
    (onImpermanence modules)
    (onPreservation modules)
  ];

  cfgOf = evaluated: evaluated.config.environment.automaticPersistence;

  # What is kept for one source, and as whose.
  from = source: evaluated: map show (lib.filter (one: one.source == source) (cfgOf evaluated).kept);
  show =
    one:
    lib.concatStringsSep " " (
      [ one.path ]
      ++ lib.filter (word: word != null) [
        one.user
        one.mode
      ]
    );
}
