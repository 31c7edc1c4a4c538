# Wiring: what the enabled services ask for goes to the back end that the user has.
#
# It goes in two steps, since what units declare is read on the way: `planned` does not look at
# units, so that names of units may come of it; `kept` does, and only directories come of that.
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
  inherit (import ../../lib/paths.nix) normalise;

  stores = levels.stores cfg;
  inUse = lib.unique (lib.filter (store: store != null) (lib.attrValues stores));

  isPerson = user: user.isNormalUser or false || user.uid or null == 0;

  boundary = import ../../lib/boundaries.nix {
    fileSystems = lib.mapAttrs' (name: one: lib.nameValuePair (one.mountPoint or name) (one.fsType or "auto")) (
      lib.filterAttrs (_: one: one.enable or true) config.fileSystems
    );
    inherit (cfg) wiped;
    stores = map normalise inUse;
    homes = map (user: user.home) (lib.filter isPerson (lib.attrValues config.users.users));
    written = map (one: "/etc/${one.target}") (
      lib.attrValues (removeAttrs config.environment.etc [ "imptrace/kept.json" ])
    );
  };

  unitOwner = import ../../lib/unit-owner.nix {
    inherit (cfg) claims;
    inherit (config.users) users;
  };

  planned =
    isLeft:
    import ../../lib/plan.nix {
      inherit (cfg) requests;
      declared = map (one: one.path) cfg.declared;
      inherit stores isLeft;
    };
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
    ./inventory.nix
    ./mounts.nix
    ./preservation.nix
    ./undeclared.nix
  ];

  config.environment.automaticPersistence = {
    stores = map normalise inUse;
    inherit boundary;

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

    planned = map (import ../home-owner.nix { inherit lib config; }) (
      import ../../lib/merge.nix {
        parents = cfg.merged;
        isLeft = path: boundary path != null;
      } (planned (path: boundary path != null))
    );

    leftAlone = map (
      item:
      {
        inherit (item) path source level;
      }
      // boundary item.path
    ) (planned (path: boundary path == null));

    kept = map unitOwner (map (import ../../lib/relocate.nix cfg.claims) cfg.planned) ++ cfg.found;
  };
}
