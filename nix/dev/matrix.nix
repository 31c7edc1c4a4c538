# One system of the matrix: what it comes to. See nix/dev/matrix.
{
  nixpkgs,
  impermanence,
  preservation,
  homeManager ? null,
  extra ? { },
  platform ? "x86_64-linux",
  machine,
  backend,
  initrd,
  stores,
  home,
  plain ? false, # without our modules, to compare with
}:
let
  inherit
    (import ./real.nix {
      inherit
        nixpkgs
        impermanence
        preservation
        extra
        platform
        backend
        ;
    })
    lib
    evaluate
    ;
  imptrace = import ../.;

  disk = {
    device = "/dev/disk/by-label/disk";
    fsType = "ext4";
    neededForBoot = true;
  };

  everywhere = {
    boot.loader.grub.enable = false;
    boot.initrd.systemd.enable = initrd == "systemd";
    documentation.nixos.enable = false;
    fileSystems = {
      "/" = {
        device = "none";
        fsType = "tmpfs";
      };
    }
    // lib.genAttrs (lib.attrValues places) (_: disk);
    system.stateVersion = lib.trivial.release;
    users.users.alice = {
      isNormalUser = true;
      initialPassword = "";
    };
  };

  places =
    if stores == "none" then
      { }
    else if stores == "one" then
      { normal = "/persistent"; }
    else
      {
        transient = "/transient";
        normal = "/persistent";
        important = "/persistent/important";
        secret = "/secret";
      };
  levels = lib.mapAttrs (_: path: { inherit path; }) places;

  machines = {
    example = ./example.nix;
    minimal = { };
    desktop = {
      services.xserver = {
        enable = true;
        displayManager.gdm.enable = true;
        desktopManager.gnome.enable = true;
      };
      hardware.bluetooth.enable = true;
      networking.networkmanager.enable = true;
      services.printing.enable = true;
      programs.firefox.enable = true;
    };
    plasma = {
      services.xserver.enable = true;
      services.desktopManager.plasma6.enable = true;
      services.displayManager.sddm.enable = true;
      networking.networkmanager.enable = true;
      services.flatpak.enable = true;
      xdg.portal.enable = true;
      hardware.bluetooth.enable = true;
    };
    server = {
      services = {
        openssh.enable = true;
        postgresql.enable = true;
        mysql = {
          enable = true;
          package = lib.mkDefault (import nixpkgs { system = platform; }).mariadb;
        };
        redis.servers.main.enable = true;
        nginx.enable = true;
        grafana = {
          enable = true;
          settings.server.http_port = 3000;
        };
        prometheus.enable = true;
        jellyfin.enable = true;
        syncthing.enable = true;
        vaultwarden.enable = true;
        forgejo.enable = true;
        fail2ban.enable = true;
        radicale.enable = true;
        navidrome = {
          enable = true;
          settings.Port = 4533;
        };
        borgbackup.jobs.home = {
          paths = "/home";
          repo = "/backup";
          encryption.mode = "none";
        };
      };
      virtualisation.docker.enable = true;
      services.tailscale.enable = true;
      security.acme = {
        acceptTerms = true;
        defaults.email = "a@example.org";
      };
    };
  };

  withHome = {
    home-manager = {
      useGlobalPkgs = true;
      users.alice = {
        home = {
          stateVersion = lib.trivial.release;
        }
        // lib.optionalAttrs (!plain) { automaticPersistence = levels; };
        manual.manpages.enable = false;
        programs = {
          git.enable = true;
          gpg.enable = true;
          firefox.enable = true;
          zsh.enable = true;
        };
      };
    };
  };

  system = evaluate (
    [
      everywhere
      machines.${machine}
    ]
    ++ lib.optionals (!plain) [
      imptrace.nixosModules.default
      (lib.optionalAttrs (machine != "example") { environment.automaticPersistence = levels; })
    ]
    ++ lib.optionals (home == "with") [
      (homeManager + "/nixos")
      withHome
    ]
  );

  inherit (system) config;
  failed = map (one: one.message) (lib.filter (one: !one.assertion) config.assertions);
in
if failed != [ ] then
  { refused = failed; }
else
  {
    system = builtins.substring 11 6 config.system.build.toplevel.drvPath;
  }
  // lib.optionalAttrs (!plain) {
    kept = map (one: one.path) config.environment.automaticPersistence.kept;
    mounts = lib.length config.environment.automaticPersistence.kept;
    open = map (one: one.path) config.environment.automaticPersistence.open;
  }
