# Where each level is kept. The options of the services themselves are in ../entries.nix.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.environment.automaticPersistence;

  levels = import ../level-options.nix { inherit lib; };
  internal = import ../internal.nix { inherit lib; };
  results = levels.results {
    always = [ "/var/cache" ];
    few = [
      "/var/log"
      "/var/lib"
    ];
    isFew = cfg.fewMounts;
    description = ''
      What is kept, one attribute set per path, with `path`, `kind`, `level`, `store`, `user`,
      `group`, `mode`, `method`, `source` (the catalogue entry that asked for it) and `within` (a
      kept directory around it that has another store). For reading only: `nix eval --json
      .#nixosConfigurations.HOST.config.environment.automaticPersistence.kept`.
    '';
  };

  # Both back ends have a way of their own to bring the id to its place before systemd looks for
  # it, and to let it be created there. It is a mount, not the link that serves other files.
  machineId =
    let
      entry = (import ../../lib/catalogue.nix).read ../../services/machine-id.toml;
    in
    entry // { persist = map (record: removeAttrs record [ "written" ]) entry.persist; };
in
{
  options.environment = {
    automaticPersistence = levels.options cfg // results // {
      fewMounts = mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = ''
          Whether to have few mounts rather than to keep nothing but what is declared: the default
          of {option}`environment.automaticPersistence.merged`, and that of every home directory,
          then holds the directories in which most programs have theirs.
        '';
      };

      backend = mkOption {
        type = types.nullOr (
          types.enum [
            "impermanence"
            "preservation"
          ]
        );
        default =
          if options.environment ? persistence == options ? preservation then
            null
          else if options ? preservation then
            "preservation"
          else
            "impermanence";
        defaultText = lib.literalMD "the one whose module is imported; `null` where both are";
        description = ''
          The module that does the mounting: nix-community/impermanence, through
          {option}`environment.persistence`, or nix-community/preservation, through
          {option}`preservation.preserveAt`. Only needed where both are imported.
        '';
      };

      hideMounts = mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = ''
          Whether file managers should hide the bind mounts of what is kept automatically, as
          {option}`environment.persistence.‹name›.hideMounts` does for what is declared by hand.
        '';
      };

      wiped = mkOption {
        type = types.listOf types.str;
        default = [ "/" ];
        example = [
          "/"
          "/home"
        ];
        description = ''
          Mount points whose file systems are emptied at boot, besides those of type tmpfs and
          ramfs. What lies on any other file system of {option}`fileSystems` is left alone: it
          lasts anyway.
        '';
      };

      boundary = internal "Why a path is left alone: see lib/boundaries.nix.";

      declared = internal "What the user keeps by hand, through the back end's own options.";

      planned = internal "What is kept, before the units are asked where a service has its state.";

      leftAlone = mkOption {
        type = types.listOf types.raw;
        readOnly = true;
        description = ''
          What is asked for and not kept: `path`, `source`, `level`, `kind` (`mounted`: it is on a
          file system of its own; `stored`: it is in a store already; `home`: it is somebody's home
          directory; `written`: NixOS writes into it) and `by`. For reading only.
        '';
      };

    };

    machineId.persistence = import ../option.nix {
      inherit lib;
      entry = machineId;
      description = ''
        Whether and where `/etc/machine-id` is kept. `{}` does not keep it: the machine gets a
        new id at every boot.

        The id names this installation. The journal files its logs under it, so that without it
        `journalctl` shows only the current boot, as if it were a new machine; systemd-networkd
        derives DHCP identifiers and stable MAC addresses from it, D-Bus and many applications
        use it to recognise the machine, and some (Google Chrome among them) tie a user's
        profile to it. Treat it as confidential: it identifies the machine to whoever reads it.
        See {manpage}`machine-id(5)`.
      '';
    };
  };

  config.environment.automaticPersistence.requests.machine-id = {
    enabled = true;
    levels = config.environment.machineId.persistence;
  };
}
