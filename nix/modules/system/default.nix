# Wiring: what the enabled services ask for goes to the back end that the user has.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.environment.automaticPersistence;
  levels = import ../level-options.nix { inherit lib; };
  declared = import ../declared.nix { inherit lib; };
in
{
  _file = toString ./default.nix;

  imports = [
    ./options.nix
    ./assertions.nix
    ./closed-directories.nix
    ./copied-files.nix
    ./home-users.nix
    ./impermanence.nix
    ./preservation.nix
  ];

  config.environment.automaticPersistence = {
    declared =
      if cfg.backend == "impermanence" && options.environment ? persistence then
        declared.impermanence {
          option = options.environment.persistence;
          ours = ./impermanence.nix;
        }
      else if cfg.backend == "preservation" && options ? preservation then
        declared.preservation {
          option = options.preservation.preserveAt;
          ours = ./preservation.nix;
        }
      else
        [ ];

    kept = import ../../lib/plan.nix {
      inherit (cfg) requests declared;
      stores = levels.stores cfg;
    };
  };
}
