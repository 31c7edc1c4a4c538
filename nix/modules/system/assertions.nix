# Assertions and warnings: each names what is wrong, the option, and what to do.
{ config, lib, options, ... }:
let
  cfg = config.environment.automaticPersistence;

  # NixOS writes into these during activation; a mount over them would hide what it wrote.
  forbidden = [
    "/"
    "/etc"
    "/etc/ssh"
    "/nix"
    "/nix/store"
    "/boot"
    "/dev"
    "/proc"
    "/run"
    "/sys"
  ];

  tooWide = lib.filter (item: lib.elem item.path forbidden) cfg.kept;
  list = items: lib.concatMapStringsSep ", " (item: "${item.path} (asked for by ${item.source})") items;

  nestedCopies = lib.filter (item: item.method == "copy" && item.within != null) cfg.kept;

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
        assertion = tooWide == [ ];
        message = "environment.automaticPersistence: NixOS writes into these directories, so they cannot be kept as a whole: ${list tooWide}. Name the files or directories inside that you need.";
      }
    ];

    warnings = lib.optional (nestedCopies != [ ]) ''
      environment.automaticPersistence: these files are replaced by rename and lie in a directory
      that is kept in another store; they stay in that store: ${list nestedCopies}.
      To keep them with their own level, raise the level of the directory.
    '';
  };
}
