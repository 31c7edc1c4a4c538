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
  hasModule = entry: entry.id != "machine-id" && entry.keeps;

  moduleKey = entry: "imptrace/${toString entry.file}";

  # One entry as a module; `kind` is services or programs.
  moduleOf =
    kind: entry:
    import ./modules/entries.nix (
      kind
      // {
        entries = [ entry ];
        key = moduleKey entry;
      }
    );

  services = {
    root = places.system;
    base = ./modules/system;
  };

  programs = {
    root = places.home;
    base = ./modules/home;
    home = config: config.home.homeDirectory;
    elsewhere = import ./modules/xdg-places.nix;
    isPresent = import ./modules/installed.nix;
    alsoEnabled = ", or when the program is installed";
    withoutEnable = "Takes effect when the program is installed.";
  };

  # All entries as `default`, and each as a module of its own, which gives way to `default`.
  # A service alone also brings the list of uids: without it nobody owns what is kept.
  modulesOf =
    kind: base: catalogue:
    let
      always = if catalogue ? nixos-users then [ catalogue.nixos-users ] else [ ];
      entries = filter hasModule (attrValues catalogue);
      all = import ./modules/entries.nix (
        kind
        // {
          inherit entries;
          key = "imptrace/${toString kind.base}";
          replaces = map moduleKey entries;
        }
      );
    in
    listToAttrs (
      map (entry: {
        name = entry.id;
        value.imports = map (moduleOf kind) ([ entry ] ++ always);
      }) entries
    )
    // {
      default.imports = base ++ [ all ];
    };
in
rec {
  nixosModules =
    let
      modules = modulesOf services [
        ./modules/system/renamed.nix
        ./modules/watch.nix
      ] lib.services;
    in
    # The one service that nixpkgs does not have.
    modules // { imptrace.imports = modules.imptrace.imports ++ [ ./modules/watch.nix ]; };

  homeModules = modulesOf programs [ ] lib.programs;

  lib = {
    # The catalogue, as attribute sets.
    services = readAll ./services;
    programs = readAll ./home;

    # From a TOML file of one's own, in the form of the catalogue, to a module.
    serviceModule = file: moduleOf services (read file);
    programModule = file: moduleOf programs (read file);

    catalogue = import ./lib/catalogue.nix;
    defaults = import ./lib/defaults.nix;
    levels = import ./lib/levels.nix;
    lookup = import ./lib/lookup.nix;
    paths = import ./lib/paths.nix;
    plan = import ./lib/plan.nix;
  };
}
