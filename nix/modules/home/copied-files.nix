# Files of a home directory that are kept by copying, because their program replaces them by
# rename (shell histories): as copied-files.nix, by the user's own service manager, so that
# nothing runs with more rights than the user has in a directory that the user can rearrange.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (import ../../lib/paths.nix) join;
  inherit (config.home) homeDirectory;

  copied = lib.filter (
    item: item.method == "copy" && item.within == null
  ) config.home.automaticPersistence.kept;

  placeOf = item: join homeDirectory item.path;
  unitName = item: "persist-copy-${lib.replaceStrings [ "/" " " "\\" "@" ] [ "-" "_" "_" "_" ] item.path}";

  scripts =
    item:
    lib.mapAttrs
      (
        name: text:
        pkgs.writeShellScript "persist-copy-${name}" ''
          PATH=${lib.makeBinPath [ pkgs.coreutils ]}
          ${text}
        ''
      )
      (
        import ../../lib/copy-file.nix { inherit lib; } {
          file = placeOf item;
          kept = join item.store (placeOf item);
        }
      );

  restore = item: {
    name = "${unitName item}-restore";
    value = {
      Unit = {
        Description = "Restore ${item.path} from ${item.store}";
        Before = [ "basic.target" ];
        DefaultDependencies = false;
      };
      Service = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = toString (scripts item).restore;
        ExecStop = toString (scripts item).save;
      };
      Install.WantedBy = [ "basic.target" ];
    };
  };

  save = item: {
    name = unitName item;
    value = {
      Unit.Description = "Copy ${item.path} to ${item.store}";
      Service = {
        Type = "oneshot";
        ExecStart = toString (scripts item).save;
      };
    };
  };

  watch = item: {
    name = unitName item;
    value = {
      Unit.Description = "Watch ${item.path} for changes";
      # Percent signs would be specifiers, see systemd.unit(5).
      Path.PathChanged = lib.replaceStrings [ "%" ] [ "%%" ] (placeOf item);
      Install.WantedBy = [ "default.target" ];
    };
  };
in
{
  config.systemd.user = lib.mkIf (copied != [ ]) {
    services = lib.listToAttrs (map restore copied ++ map save copied);
    paths = lib.listToAttrs (map watch copied);
  };
}
