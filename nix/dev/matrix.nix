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
  byHand ? null, # a file with what asDefinition gave: kept by hand, where it is plain
  asDefinition ? false, # give what the back end is told to keep in place of what the system comes to
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
    ++ lib.optional (byHand != null) (lib.setAttrByPath optionOfBackend (lib.importJSON byHand))
    ++ lib.optional (byHand != null && backend == "preservation") { preservation.enable = true; }
    ++ lib.optionals (home == "with") [
      (homeManager + "/nixos")
      withHome
    ]
  );

  inherit (system) config;

  optionOfBackend =
    {
      impermanence = [
        "environment"
        "persistence"
      ];
      preservation = [
        "preservation"
        "preserveAt"
      ];
    }
    .${backend};

  # What our modules tell the back end. What home-manager's users keep goes to impermanence by
  # home.persistence; by hand it is written with the user's name.
  definition =
    let
      ours = lib.head (lib.getAttrFromPath optionOfBackend system.options).definitions;
      stores = lib.mapAttrs (_: store: store.content or store) (
        lib.filterAttrs (_: store: store.condition or true) ours
      );
      inherit (config.environment.automaticPersistence) homes;
      ofHome =
        kind: store: home:
        map (item: { ${kind} = item.path; }) (
          lib.filter (
            item: item.store == store && item.kind == kind && item.method != "copy"
          ) home.kept
        );
      usersOf =
        store:
        lib.listToAttrs (
          map (
            home:
            lib.nameValuePair home.username {
              directories = ofHome "directory" store home;
              files = ofHome "file" store home;
            }
          ) homes
        );
    in
    if backend == "preservation" then
      stores
    else
      lib.mapAttrs (
        store: contents: contents // lib.optionalAttrs (homes != [ ]) { users = usersOf store; }
      ) stores;
  failed = map (one: one.message) (lib.filter (one: !one.assertion) config.assertions);
in
if asDefinition then
  definition
else if failed != [ ] then
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
