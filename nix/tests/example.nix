# What the example of README.md promises, on a NixOS that is otherwise at its defaults.
tools:
let
  inherit (tools) lib evaluate;
  inherit (import ./fixtures.nix tools) byImpermanence complaints;

  # What NixOS itself switches on, and what NetworkManager does.
  nixosDefaults = {
    security.sudo.enable = true;
    services.logrotate.enable = true;
    services.timesyncd.enable = true;
    systemd.coredump.enable = true;
    networking.modemmanager.enable = true;
    networking.wireless.enable = true;
  };

  evaluated = evaluate {
    modules = [
      nixosDefaults
      ../dev/example.nix
    ];
  };
in
{
  directories-and-files = {
    actual = byImpermanence evaluated;
    expected = {
      "/persistence" = [
        "/etc/NetworkManager/system-connections root:root 0700"
        "/var/db/sudo/lectured root:root 0700"
        "/var/lib/NetworkManager root:root 0755"
        "/var/lib/nixos root:root 0755"
        "/var/lib/systemd root:root 0755"
      ];
      "/persistent" = [ "/var/log root:root 0755" ];
    };
  };

  copied-files = {
    actual = map (path: path.pathConfig.PathChanged) (lib.attrValues evaluated.config.systemd.paths);
    expected = [
      "/etc/wpa_supplicant/imperative.conf"
      "/var/lib/logrotate.status"
    ];
  };

  complaints = {
    actual = complaints evaluated;
    expected = [ ];
  };
}
