# The home-manager side: levels for home directories, and what the programs ask for.
#
# Nothing is kept until a level has a store: a /home that is persistent anyway must not be
# covered by empty directories because this module was imported.
{
  config,
  lib,
  options,
  ...
}@args:
let
  internal = import ../internal.nix { inherit lib; };
  inherit (import ../../lib/paths.nix) hasPrefix normalise removePrefix;
  cfg = config.home.automaticPersistence;
  levels = import ../level-options.nix { inherit lib; };
  declared = import ../declared.nix { inherit lib; };

  osConfig = args.osConfig or null;
  backend =
    if options.home ? persistence then
      osConfig.environment.automaticPersistence.backend or "impermanence"
    else
      null;

  home = "${config.home.homeDirectory}/";

  # "wrapped-obs-studio" and "neovim-unwrapped" are obs-studio and neovim.
  plainName =
    package: lib.removeSuffix "-unwrapped" (lib.removePrefix "wrapped-" (lib.getName package));

  byHand = map (one: one.path) (
    declared.impermanence {
      option = options.home.persistence;
      ours = ./default.nix;
    }
  );

  bySystem = declared.impermanencePaths (
    lib.concatMap (store: lib.attrValues store.users) (
      lib.attrValues (osConfig.environment.persistence or { })
    )
  );

  # Mounted only, not copied; see copied-files.nix.
  mounted = lib.filter (item: item.method != "copy") cfg.kept;

  ownership = item: lib.filterAttrs (_: value: value != null) { inherit (item) user group mode; };

  contents =
    store:
    let
      ofKind = kind: lib.filter (item: item.store == store && item.kind == kind) mounted;
    in
    lib.mkIf (lib.any (item: item.store == store) mounted) {
      directories = map (item: { directory = item.path; } // ownership item) (ofKind "directory");
      files = map (item: {
        file = item.path;
        inherit (item) method;
      }) (ofKind "file");
    };
in
{
  _file = toString ./default.nix;

  imports = [
    ./assertions.nix
    ./copied-files.nix
  ];

  options.home.automaticPersistence =
    levels.options cfg
    // levels.results {
      always = [ ".cache" ];
      few = [
        ".config"
        ".local/share"
        ".local/state"
      ];
      isFew = osConfig.environment.automaticPersistence.fewMounts or false;
      description = ''
        What is kept of this home directory, as
        {option}`environment.automaticPersistence.kept`, with paths relative to it.
      '';
    }
    // {
      installed = internal "A set with the names of all packages that this user has, asked by each program.";
    };

  config = lib.mkMerge [
    {
      home.automaticPersistence = {
        installed = lib.genAttrs (map plainName (
          lib.filter lib.isAttrs (
            config.home.packages
            ++ osConfig.environment.systemPackages or [ ]
            ++ osConfig.users.users.${config.home.username}.packages or [ ]
          )
        )) (_: true);

        stores = map normalise (
          lib.unique (lib.filter (store: store != null) (lib.attrValues (levels.stores cfg)))
        );

        kept =
          import ../../lib/merge.nix
            {
              parents = cfg.merged;
              mode = "0700";
            }
            (
              import ../../lib/plan.nix {
                inherit (cfg) requests;
                stores = levels.stores cfg;
                declared = map (removePrefix home) (
                  lib.optionals (backend != null) byHand ++ lib.filter (hasPrefix home) bySystem
                );
              }
            );
      };
    }
    (lib.optionalAttrs (options.home ? persistence) {
      home.persistence = lib.mkIf (backend == "impermanence") (lib.genAttrs cfg.stores contents);
    })
  ];
}
