# Everything that other flakes and configurations use. Takes no argument:
#
#   imports = [ (import ./imptrace/nix).nixosModules.default ];
let
  inherit (builtins)
    attrValues
    filter
    listToAttrs
    ;
  inherit (import ./lib/catalogue.nix) read readAll;
  places = import ./lib/places.nix;

  # machine-id has an option of its own, in options.nix.
  hasModule =
    entry: entry.id != "machine-id" && (entry.persist != [ ] || entry.instance != [ ]);

  serviceModule =
    entry:
    import ./modules/entry.nix {
      inherit entry;
      root = places.system;
      base = ./modules/system;
    };

  programModule =
    entry:
    import ./modules/entry.nix {
      inherit entry;
      root = places.home;
      base = ./modules/home;
      home = config: config.home.homeDirectory;
      isPresent = import ./modules/installed.nix entry;
      alsoEnabled = ", or when the program is installed";
      withoutEnable = "Takes effect when the program is installed.";
    };

  # One module per entry, and all of them as `default`.
  # A service alone also brings the list of uids: without it nobody owns what is kept.
  modulesOf =
    toModule: base: catalogue:
    let
      always = if catalogue ? nixos-users then [ catalogue.nixos-users ] else [ ];
      entries = filter hasModule (attrValues catalogue);
    in
    listToAttrs (
      map (entry: {
        name = entry.id;
        value.imports = map toModule ([ entry ] ++ always);
      }) entries
    )
    // {
      default.imports = base ++ map toModule entries;
    };
in
rec {
  nixosModules =
    let
      modules = modulesOf serviceModule [
        ./modules/system
        ./modules/system/renamed.nix
        ./modules/watch.nix
      ] lib.services;
    in
    # The one service that nixpkgs does not have.
    modules // { imptrace.imports = modules.imptrace.imports ++ [ ./modules/watch.nix ]; };

  homeModules = modulesOf programModule [ ./modules/home ] lib.programs;

  lib = {
    # The catalogue, as attribute sets.
    services = readAll ./services;
    programs = readAll ./home;

    # From a TOML file of one's own, in the form of the catalogue, to a module.
    serviceModule = file: serviceModule (read file);
    programModule = file: programModule (read file);

    catalogue = import ./lib/catalogue.nix;
    defaults = import ./lib/defaults.nix;
    levels = import ./lib/levels.nix;
    lookup = import ./lib/lookup.nix;
    paths = import ./lib/paths.nix;
    plan = import ./lib/plan.nix;
  };
}
