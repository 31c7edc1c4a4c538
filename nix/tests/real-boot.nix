# What a real NixOS with these modules does at boot for some services, as data in the form of
# boot.nix; units as the text that NixOS gives them. Needs a nixpkgs tree, and a store to write to.
#
# One of the services is run by its own scripts and programs (postgresql). The others are played:
# their units are as NixOS has them, only what they start is a script that adds a line to a file in
# each directory that is kept for them.
{
  nixpkgs,
  impermanence,
  preservation,
  extra ? { },
  backend,
}:
let
  inherit
    (import ../dev/real.nix {
      inherit
        nixpkgs
        impermanence
        preservation
        extra
        backend
        ;
      platform = "x86_64-linux";
    })
    lib
    evaluate
    ;
  imptrace = import ../.;

  # Catalogue entry -> unit.
  played = {
    grafana = "grafana";
    jellyfin = "jellyfin";
    ntfy-sh = "ntfy-sh";
    prometheus = "prometheus";
    radicale = "radicale";
    redis = "redis-main";
    syncthing = "syncthing";
    uptime-kuma = "uptime-kuma";
    vaultwarden = "vaultwarden";
  };
  units = lib.attrValues played ++ [ "postgresql" ];

  disk = {
    device = "/dev/disk/by-label/disk";
    fsType = "ext4";
    neededForBoot = true;
  };

  machine = {
    boot.loader.grub.enable = false;
    boot.initrd.systemd.enable = true;
    documentation.enable = false;
    fileSystems = {
      "/" = {
        device = "none";
        fsType = "tmpfs";
      };
      "/persistent" = disk;
      "/secret" = disk;
    };
    system.stateVersion = lib.trivial.release;
    environment.automaticPersistence = {
      transient.path = "/persistent";
      secret.path = "/secret";
    };
    services = {
      grafana = {
        enable = true;
        settings.server.http_port = 3000;
      };
      jellyfin.enable = true;
      ntfy-sh = {
        enable = true;
        settings.base-url = "http://localhost";
      };
      postgresql.enable = true;
      prometheus.enable = true;
      radicale.enable = true;
      redis.servers.main.enable = true;
      syncthing.enable = true;
      uptime-kuma.enable = true;
      vaultwarden.enable = true;
    };
  };

  play = entry: {
    serviceConfig = lib.mapAttrs (_: lib.mkForce) {
      Type = "oneshot";
      RemainAfterExit = true;
      Restart = "no";
      RestartForceExitStatus = "";
      ExecStartPre = [ ];
      ExecStartPost = [ ];
      ExecStart = "/usr/local/bin/play ${entry}";
      # Of programs that are not there.
      SystemCallFilter = [ ];
    };
    preStart = lib.mkForce "";
    postStart = lib.mkForce "";
  };
  players.systemd.services = lib.mapAttrs' (
    entry: unit: lib.nameValuePair unit (play entry)
  ) played;

  directoriesOf =
    entry:
    map (item: item.path) (
      lib.filter (item: item.source == entry && item.kind == "directory") kept
    );

  inherit (evaluate [ imptrace.nixosModules.default machine players ]) config;
  inherit (config.environment.automaticPersistence) kept stores;
  inherit (config.boot.initrd) systemd;
  scripts = config.system.activationScripts;

  isOurs =
    name:
    lib.elem name (map (unit: "${unit}.service") units)
    || lib.hasPrefix "persist" name
    || lib.hasPrefix "preservation" name
    || lib.hasSuffix ".mount" name;

  fromStore = mount: lib.any (store: lib.hasInfix store mount.what) stores;
  people = lib.filterAttrs (_: user: !user.isNormalUser && user.uid != 0) config.users.users;
in
{
  failed = map (one: one.message) (lib.filter (one: !one.assertion) config.assertions);
  inherit played;
  directories = lib.mapAttrs (entry: _: directoriesOf entry) played;
  kept = map (item: {
    inherit (item) path kind method;
  }) kept;

  initrd = {
    mounts = map (mount: { inherit (mount) what where after; }) (lib.filter fromStore systemd.mounts);
    tmpfiles = lib.attrValues systemd.tmpfiles.settings or { };
  };

  activation = map (name: scripts.${name}.text) (
    lib.filter (name: scripts ? ${name}) [
      "persistentParents"
      "createPersistentStorageDirs"
      "persist-files"
    ]
  );

  tmpfiles = lib.attrValues config.systemd.tmpfiles.settings;
  inherit (config.systemd.tmpfiles) rules;
  masked = lib.intersectLists config.systemd.suppressedSystemUnits [ "systemd-machine-id-commit.service" ];
  units = lib.mapAttrs (_: unit: { inherit (unit) text wantedBy requiredBy; }) (
    lib.filterAttrs (name: unit: isOurs name && unit.enable) config.systemd.units
  );

  users = lib.mapAttrsToList (_: user: { inherit (user) name group home; }) people;
  groups = lib.attrNames config.users.groups;
}
