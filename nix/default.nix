# Everything that other flakes and configurations use. Takes no argument:
#
#   imports = [ (import ./imptrace/nix).nixosModules.default ];
let
  inherit (builtins)
    attrValues
    filter
    listToAttrs
    ;
  inherit (import ./catalogue.nix) read readAll;
  places = import ./places.nix;

  # machine-id has an option of its own, in options.nix.
  hasModule =
    entry: entry.id != "machine-id" && (entry.persist != [ ] || entry.instance != [ ]);

  serviceModule =
    entry:
    import ./entry-module.nix {
      inherit entry;
      root = places.system;
      base = ./module.nix;
    };

  programModule =
    entry:
    import ./entry-module.nix {
      inherit entry;
      root = places.home;
      base = ./home-module.nix;
      home = config: config.home.homeDirectory;
      isPresent = import ./installed.nix entry;
      withoutEnable = "Takes effect when the program is installed.";
    };

  # One module per entry, and all of them as `default`.
  modulesOf =
    toModule: base: catalogue:
    let
      entries = filter hasModule (attrValues catalogue);
    in
    listToAttrs (
      map (entry: {
        name = entry.id;
        value = toModule entry;
      }) entries
    )
    // {
      default.imports = base ++ map toModule entries;
    };
in
rec {
  nixosModules = modulesOf serviceModule [
    ./module.nix
    ./renamed.nix
  ] lib.services;

  homeModules = modulesOf programModule [ ./home-module.nix ] lib.programs;

  lib = {
    # The catalogue, as attribute sets.
    services = readAll ./services;
    programs = readAll ./home;

    # From a TOML file of one's own, in the form of the catalogue, to a module.
    serviceModule = file: serviceModule (read file);
    programModule = file: programModule (read file);

    catalogue = import ./catalogue.nix;
    defaults = import ./defaults.nix;
    levels = import ./levels.nix;
    lookup = import ./lookup.nix;
    paths = import ./paths.nix;
    plan = import ./plan.nix;
  };
}
