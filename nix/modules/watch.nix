# services.imptrace: the recorder of the whole machine, always on.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  cfg = config.services.imptrace;
  unit = fromTOML (builtins.readFile ./watch.toml);

  # The newest of what pyproject.toml asks for. A release that is older has the tool built with the
  # nixpkgs that it is tested with, as the flake's own package is.
  oldest = "0.25";
  isNewEnough = lib.versionAtLeast (pkgs.python3Packages.tree-sitter.version or "0") oldest;
  builtWith =
    if isNewEnough then
      pkgs
    else
      import (import ../dev/pins.nix).nixpkgs { inherit (pkgs.stdenv.hostPlatform) system; };
in
{
  options.services.imptrace = {
    enable = lib.mkEnableOption "recording who changes what on this machine, with `imptrace watch`";

    package = mkOption {
      type = types.package;
      default = builtWith.callPackage ../dev/package.nix { };
      defaultText = lib.literalMD "imptrace as it is beside these modules";
      description = "The imptrace that records.";
    };

    keep = mkOption {
      type = types.strMatching "[0-9]+(\\.[0-9]+)?[smhd]";
      default = "30d";
      example = "7d";
      description = "How long what was recorded is kept. A run of the recorder is a day long.";
    };

    atMost = mkOption {
      type = types.strMatching "[0-9]+(\\.[0-9]+)?[kMG]";
      default = "500M";
      example = "2G";
      description = "How large the database may become; the oldest runs of the machine make room.";
    };

    allMounts = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to record also on file systems that the next boot does not wipe.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

    systemd.services.imptrace = {
      unitConfig = unit.Unit;
      wantedBy = [ unit.Install.WantedBy ];
      serviceConfig = unit.Service // {
        ExecStart = lib.concatStringsSep " " (
          [
            "${cfg.package}/bin/imptrace watch --quiet --every 1d"
            "--keep ${cfg.keep} --at-most ${cfg.atMost} --socket /run/imptrace/imptrace.sock"
          ]
          ++ lib.optional cfg.allMounts "--all-mounts"
        );
        ExecStop = "-${cfg.package}/bin/imptrace lost --save";
      };
    };
  };
}
