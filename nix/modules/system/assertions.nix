# Assertions and warnings: each names what is wrong, the option, and what to do.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (import ../../lib/paths.nix) componentsOf;
  cfg = config.environment.automaticPersistence;

  # NixOS writes into these during activation, or others have theirs there; a mount over them would
  # hide it.
  forbidden = [
    "/"
    "/etc"
    "/home"
    "/srv"
    "/tmp"
    "/usr"
    "/var"
    "/var/lib"
    "/var/lib/private"
    "/etc/ssh"
    "/nix"
    "/nix/store"
    "/boot"
    "/dev"
    "/proc"
    "/run"
    "/sys"
  ];

  asked = cfg.planned ++ cfg.leftAlone;
  tooWide = lib.filter (item: lib.elem item.path forbidden) asked;
  leadingUp = lib.filter (
    item: lib.any (name: name == "." || name == "..") (componentsOf item.path)
  ) asked;
  list = items: lib.concatMapStringsSep ", " (item: "${item.path} (asked for by ${item.source})") items;

  # Homes belong to people, and what NixOS writes into /etc must be seen.
  taken =
    kind: lib.filter (item: item.kind == kind && !(lib.elem item.path forbidden)) cfg.leftAlone;
  taking = items: lib.concatMapStringsSep ", " (item: "${item.path} (asked for by ${item.source}, holds ${item.by})") items;

  nestedCopies = lib.filter (item: item.method == "copy" && item.within != null) cfg.planned;

  tooMany = 100;

  isImported = {
    impermanence = options.environment ? persistence;
    preservation = options ? preservation;
  };
in
{
  config = {
    assertions = [
      {
        assertion = cfg.kept == [ ] || cfg.backend != null;
        message = ''
          environment.automaticPersistence: ${
            if isImported.impermanence then
              "both impermanence and preservation are imported. Set environment.automaticPersistence.backend to the one that shall do the mounting."
            else
              "nothing can be kept without a module that mounts. Import nixosModules.impermanence of nix-community/impermanence, or nixosModules.preservation of nix-community/preservation."
          }
        '';
      }
      {
        assertion = cfg.backend == null || isImported.${cfg.backend};
        message = "environment.automaticPersistence.backend is \"${toString cfg.backend}\", but that module is not imported.";
      }
      {
        assertion =
          cfg.stores == [ ] || cfg.backend != "preservation" || config.boot.initrd.systemd.enable;
        message = "environment.automaticPersistence: preservation mounts in systemd's initrd. Set boot.initrd.systemd.enable = true, or import impermanence instead.";
      }
      {
        assertion = leadingUp == [ ];
        message = "environment.automaticPersistence: systemd mounts nothing at a path with \".\" or \"..\" in it: ${list leadingUp}. Write it without, in the service's option or in its option `persistence`.";
      }
      {
        assertion = tooWide == [ ];
        message = "environment.automaticPersistence: NixOS or others write into these directories, so they cannot be kept as a whole: ${list tooWide}. Name the files or directories inside that you need.";
      }
    ];

    warnings =
      lib.optional (cfg.mounts > tooMany) ''
        environment.automaticPersistence: ${toString cfg.mounts} directories and files are mounted one by
        one, and systemd's start slows down with their square. Keep directories around them whole,
            environment.automaticPersistence.fewMounts = true;
        or switch off with `persistence = { }` what you do not need.
      ''
      ++ lib.optional (taken "home" != [ ]) ''
        environment.automaticPersistence: a home directory is not kept for a service: ${taking (taken "home")}.
        Keep what the service has there by naming it in its option `persistence`, or keep the home
        yourself; `persistence = { }` keeps nothing of the service.
      ''
      ++ lib.optional (taken "written" != [ ]) ''
        environment.automaticPersistence: NixOS itself writes into these, so they are not kept: ${taking (taken "written")}.
        Name what you need inside of them in the service's option `persistence`.
      ''
      ++ lib.optional (nestedCopies != [ ]) ''
        environment.automaticPersistence: these files are replaced by rename and lie in a directory
        that is kept in another store; they stay in that store: ${list nestedCopies}.
        To keep them with their own level, raise the level of the directory.
      '';
  };
}
