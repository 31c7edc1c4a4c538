# A NixOS machine with a root that is wiped at every boot: state that services write is there
# again after a reboot, with its owner and mode.
#
# A function for pkgs.testers.runNixOSTest. backend: the module that mounts, as
# environment.automaticPersistence.backend.
{
  nixosModule,
  backend,
  backendModule,
}:
{
  name = "imptrace-${backend}";

  nodes.machine =
    { lib, pkgs, ... }:
    {
      imports = [
        nixosModule
        backendModule
      ];

      environment.automaticPersistence = {
        normal.path = "/persistent";
        secret.path = "/secret";
      };

      networking.networkmanager.enable = true;
      services = {
        openssh.enable = true;
        postgresql.enable = true;
        logrotate = {
          enable = true;
          settings."/var/log/example.log".rotate = 1;
        };
      };

      # Outside of the test driver's own network.
      networking.networkmanager.unmanaged = [ "eth*" ];

      boot.initrd.systemd.enable = true;

      virtualisation = {
        emptyDiskImages = [
          512
          64
        ];
        fileSystems = {
          "/" = lib.mkForce {
            device = "none";
            fsType = "tmpfs";
            options = [ "mode=0755" ];
            neededForBoot = true;
          };
          "/persistent" = {
            device = "/dev/vdb";
            fsType = "ext4";
            autoFormat = true;
            neededForBoot = true;
          };
          "/secret" = {
            device = "/dev/vdc";
            fsType = "ext4";
            autoFormat = true;
            neededForBoot = true;
          };
        };
      };
    };

  testScript = ''
    STATE = [
        "/var/lib/NetworkManager",
        "/etc/NetworkManager/system-connections",
        "/etc/ssh/ssh_host_ed25519_key",
        "/var/lib/postgresql",
        "/var/lib/nixos",
        "/var/lib/systemd",
    ]


    def wait_for_services() -> None:
        for unit in ["NetworkManager", "sshd", "postgresql"]:
            machine.wait_for_unit(f"{unit}.service")


    def owners_and_modes() -> dict[str, str]:
        return {path: machine.succeed(f"stat -L -c '%U:%G %a' {path}").strip() for path in STATE}


    def sql(statement: str) -> str:
        return machine.succeed(f'sudo -u postgres psql -tA -c "{statement}"').strip()


    machine.start(allow_reboot=True)
    wait_for_services()

    with subtest("Services write state"):
        machine.succeed("touch /wiped")
        machine.succeed("nmcli connection add type dummy ifname dummy0 con-name kept")
        sql("CREATE TABLE kept (answer int)")
        sql("INSERT INTO kept VALUES (42)")
        machine.succeed("echo line > /var/log/example.log")
        machine.succeed("systemctl start logrotate.service")
        machine.wait_until_succeeds("test -s /persistent/var/lib/logrotate.status")

    before = owners_and_modes()
    machine_id = machine.succeed("cat /etc/machine-id")
    host_key = machine.succeed("cat /etc/ssh/ssh_host_ed25519_key.pub")

    with subtest("Each level is in its own store"):
        machine.succeed("test -e /persistent/var/lib/NetworkManager")
        machine.succeed("test -e /secret/etc/NetworkManager/system-connections/kept.nmconnection")
        machine.succeed("test -s /secret/etc/ssh/ssh_host_ed25519_key")
        machine.fail("test -e /persistent/etc/ssh/ssh_host_ed25519_key")

    machine.reboot()
    wait_for_services()

    with subtest("The root was wiped"):
        machine.fail("test -e /wiped")

    with subtest("State is there again"):
        machine.succeed("nmcli connection show kept")
        t.assertEqual(sql("SELECT answer FROM kept"), "42")
        t.assertEqual(machine.succeed("cat /etc/machine-id"), machine_id)
        t.assertEqual(machine.succeed("cat /etc/ssh/ssh_host_ed25519_key.pub"), host_key)
        machine.succeed("grep -q /var/log/example.log /var/lib/logrotate.status")

    with subtest("Owners and modes are as they were"):
        t.assertEqual(owners_and_modes(), before)
        t.assertEqual(before["/var/lib/postgresql"].split(":")[0], "postgres")
        t.assertTrue(before["/etc/ssh/ssh_host_ed25519_key"].endswith(" 600"))

    with subtest("Logrotate can still replace its state"):
        machine.succeed("systemctl start logrotate.service")

    machine.shutdown()
  '';
}
