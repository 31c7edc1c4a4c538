# Cases for what the modules leave alone, whoever asks for it: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib;
  inherit (import ./fixtures.nix tools)
    cfgOf
    complaints
    from
    onBoth
    onImpermanence
    oneStore
    someState
    ;

  left = evaluated: map (one: "${one.path} ${one.kind} ${one.by}") (cfgOf evaluated).leftAlone;

  # An option as the service's own module has it.
  option = name: default: {
    options = lib.setAttrByPath (lib.splitString "." name) (lib.mkOption { inherit default; });
  };
in
{
  one-line-evaluates-without-a-definition-by-hand = {
    actual = map (evaluated: (cfgOf evaluated).declared) (onBoth [
      { environment.automaticPersistence.normal.path = "/persistence"; }
    ]);
    expected = [
      [ ]
      [ ]
    ];
  };

  importing-without-a-store-changes-nothing = {
    actual = map (evaluated: {
      inherit (evaluated.config.systemd) services tmpfiles paths;
      inherit (evaluated.config.environment) etc;
      inherit (evaluated.config) warnings;
      enabled = evaluated.config.preservation.enable or false;
    }) (onBoth [ someState ]);
    expected = lib.genList (_: {
      services.some.serviceConfig = {
        StateDirectory = "some some/deep";
        CacheDirectory = "some";
        User = "alice";
        StateDirectoryMode = "0750";
      };
      tmpfiles = {
        settings = { };
        rules = [ ];
      };
      paths = { };
      etc = { };
      warnings = [ ];
      enabled = false;
    }) 2;
  };

  a-home-is-not-kept-for-a-service = {
    actual = map (evaluated: {
      kept = from "syncthing" evaluated;
      left = left evaluated;
      complains = map (lib.hasInfix "/home/alice (asked for by syncthing") (complaints evaluated);
    }) (onBoth [
      oneStore
      (option "services.syncthing.user" "syncthing")
      {
        services.syncthing = {
          enable = true;
          user = "alice";
          dataDir = "/home/alice";
          configDir = "/home/alice/.config/syncthing";
        };
      }
    ]);
    expected = lib.genList (_: {
      kept = [ "/home/alice/.config/syncthing alice 0700" ];
      left = [ "/home/alice home /home/alice" ];
      complains = [ true ];
    }) 2;
  };

  what-a-service-keeps-in-a-home-belongs-to-the-home's-owner = {
    actual = from "jellyfin" (onImpermanence [
      oneStore
      {
        services.jellyfin = {
          enable = true;
          dataDir = "/home/alice/films";
        };
        users.users = lib.mkForce {
          alice = {
            isNormalUser = true;
            group = "users";
          };
        };
      }
    ]);
    expected = [ "/home/alice/films alice 0700" ];
  };

  places-that-belong-to-others-are-refused = {
    actual = map (dataDir: map (lib.hasInfix "cannot be kept as a whole: ${dataDir} (") (complaints (onImpermanence [
      oneStore
      {
        services.jellyfin = {
          enable = true;
          inherit dataDir;
        };
      }
    ]))) [
      "/"
      "/home"
      "/srv"
      "/var"
    ];
    expected = lib.genList (_: [ true ]) 4;
  };

  a-path-that-leads-upwards-is-refused = {
    actual = map (dataDir: map (lib.hasInfix "in it: ${dataDir} (") (complaints (onImpermanence [
      oneStore
      {
        services.jellyfin = {
          enable = true;
          inherit dataDir;
        };
      }
    ]))) [
      "/srv/../home/alice"
      "/srv/./x"
      "/srv/.x"
      "/srv/x..y"
    ];
    expected = [
      [ true ]
      [ true ]
      [ ]
      [ ]
    ];
  };

  what-has-a-file-system-of-its-own-or-is-in-a-store-is-left-alone = {
    actual = map (evaluated: {
      kept = lib.concatMap (source: from source evaluated) [
        "docker"
        "jellyfin"
        "mysql"
        "postgresql"
      ];
      left = left evaluated;
      complaints = complaints evaluated;
    }) (onBoth [
      oneStore
      {
        fileSystems = {
          "/".fsType = "ext4";
          "/persistent".fsType = "ext4";
          "/scratch".fsType = "tmpfs";
          "/tank".fsType = "zfs";
          "/var/lib/docker".fsType = "ext4";
        };
        virtualisation.docker.enable = true;
        services = {
          jellyfin = {
            enable = true;
            dataDir = "/persistent/jellyfin";
          };
          mysql = {
            enable = true;
            dataDir = "/scratch/mysql";
          };
          postgresql = {
            enable = true;
            dataDir = "/tank/pg";
          };
        };
      }
    ]);
    expected = lib.genList (_: {
      kept = [ "/scratch/mysql mysql 0700" ];
      left = [
        "/persistent/jellyfin stored /persistent"
        "/tank/pg mounted /tank"
        "/var/lib/docker mounted /var/lib/docker"
      ];
      complaints = [ ];
    }) 2;
  };

  a-file-system-that-is-wiped-is-not-a-place-that-lasts = {
    actual = from "docker" (onImpermanence [
      oneStore
      {
        fileSystems."/var".fsType = "btrfs";
        environment.automaticPersistence.wiped = [
          "/"
          "/var"
        ];
        virtualisation.docker.enable = true;
      }
    ]);
    expected = [ "/var/lib/docker root 0710" ];
  };

  directories-of-etc-into-which-nixos-writes-are-not-kept = {
    actual =
      let
        evaluated = onImpermanence [
          oneStore
          {
            boot.enableContainers = true;
            environment.etc."nixos-containers/web.conf".text = "";
          }
        ];
      in
      {
        kept = from "nixos-containers" evaluated;
        complains = map (lib.hasInfix "/etc/nixos-containers (asked for by nixos-containers") (complaints evaluated);
      };
    expected = {
      kept = [ "/var/lib/nixos-containers root 0755" ];
      complains = [ true ];
    };
  };

  host-keys-are-where-the-option-says = {
    actual = from "openssh" (onImpermanence [
      oneStore
      {
        services.openssh = {
          enable = true;
          hostKeys = [ { path = "/var/lib/ssh/key"; } ];
        };
      }
    ]);
    expected = [
      "/var/lib/ssh/key root 0600"
      "/var/lib/ssh/key.pub root 0644"
    ];
  };
}
