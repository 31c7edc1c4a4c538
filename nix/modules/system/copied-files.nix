# Files that are kept by copying, because their program replaces them by rename: a bind mount
# refuses the rename (EBUSY) and a symbolic link is replaced by a plain file.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (import ../../lib/paths.nix) join;

  copied = lib.filter (
    item: item.method == "copy" && item.within == null
  ) config.environment.automaticPersistence.planned;

  unitName = item: "persist-copy-${utils.escapeSystemdPath (join item.store item.path)}";

  scripts =
    item:
    lib.mapAttrs (name: pkgs.writeShellScript "persist-copy-${name}") (
      import ../../lib/copy-file.nix { inherit lib; } {
        file = item.path;
        kept = join item.store item.path;
      }
    );

  restore = item: {
    name = "${unitName item}-restore";
    value = {
      description = "Restore ${item.path} from ${item.store}";
      wantedBy = [ "sysinit.target" ];
      before = [
        "sysinit.target"
        "shutdown.target"
      ];
      after = [ "systemd-tmpfiles-setup.service" ];
      conflicts = [ "shutdown.target" ];
      path = [ pkgs.coreutils ];
      unitConfig = {
        DefaultDependencies = false;
        RequiresMountsFor = [
          item.store
          (dirOf item.path)
        ];
      };
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = (scripts item).restore;
        ExecStop = (scripts item).save;
      };
    };
  };

  save = item: {
    name = unitName item;
    value = {
      description = "Copy ${item.path} to ${item.store}";
      path = [ pkgs.coreutils ];
      serviceConfig = {
        Type = "oneshot";
        ExecStart = (scripts item).save;
      };
    };
  };

  watch = item: {
    name = unitName item;
    value = {
      description = "Watch ${item.path} for changes";
      wantedBy = [ "multi-user.target" ];
      # Percent signs would be specifiers, see systemd.unit(5).
      pathConfig.PathChanged = lib.replaceStrings [ "%" ] [ "%%" ] item.path;
    };
  };
in
{
  config.systemd = lib.mkIf (copied != [ ]) {
    services = lib.listToAttrs (map restore copied ++ map save copied);
    paths = lib.listToAttrs (map watch copied);
  };
}
