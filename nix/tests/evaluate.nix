# Evaluates the modules as NixOS would: with the real back ends and the real home-manager, and
# stand-ins for the rest of NixOS.
#
# All are paths of checkouts; what is null cannot be asked for.
{
  nixpkgsLib,
  impermanence ? null,
  preservation ? null,
  homeManager ? null,
  real ? false, # see pkgs.nix
}:
let
  lib = import ./lib.nix nixpkgsLib;
  imptrace = import ../.;
  pkgs = import ./pkgs.nix { inherit lib real; };

  # As nixos/lib/utils.nix has them, for the plain paths of these tests.
  utils = {
    escapeSystemdPath =
      path: lib.replaceStrings [ "-" "/" ] [ "\\x2d" "-" ] (lib.removePrefix "/" path);
    pathsNeededForBoot = [
      "/"
      "/nix"
      "/nix/store"
      "/var"
      "/var/log"
      "/var/lib"
      "/var/lib/nixos"
      "/etc"
      "/usr"
    ];
  };

  standIns = services: import ./stand-ins.nix { inherit lib services; };

  # Those of all services are made once for all evaluations.
  allDeclared = standIns (lib.attrValues imptrace.lib.services);

  external = {
    impermanence = impermanence + "/nixos.nix";
    preservation = preservation + "/module.nix";
    homeManager = {
      imports = [ (homeManager + "/nixos/common.nix") ];
      home-manager = {
        useGlobalPkgs = true;
        # These need more of nixpkgs than its lib.
        sharedModules = [ { disabledModules = [ (homeManager + "/modules/services-modular") ]; } ];
      };
    };
  };
in
{
  inherit lib imptrace pkgs;

  # beside: names of what is imported too. declared: catalogue entries whose options
  # exist (all where it is left out); the others are as in a nixpkgs release that does not have them.
  # modulesPath: where the release has its modules, as NixOS says it.
  evaluate =
    {
      beside ? [ "impermanence" ],
      declared ? null,
      imports ? [ imptrace.nixosModules.default ],
      modulesPath ? null,
      modules ? [ ],
    }:
    lib.evalModules {
      class = "nixos";
      specialArgs = {
        inherit utils;
      }
      // lib.optionalAttrs (modulesPath != null) { modulesPath = toString modulesPath; };
      modules = [
        (if declared == null then allDeclared else standIns declared)
        { _module.args = { inherit pkgs; }; }
      ]
      ++ map (name: external.${name}) beside
      ++ imports
      ++ modules;
    };
}
