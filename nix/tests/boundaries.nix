# Cases for what the modules leave alone, and for what they find in the configuration itself:
# { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib;
  inherit (import ./fixtures.nix tools) byPreservation complaints oneStore;

  withBackend =
    backend: modules:
    tools.evaluate {
      beside = [ backend ];
      modules = [
        {
          users.users.alice = {
            isNormalUser = true;
            group = "users";
          };
        }
      ]
      ++ modules;
    };
  onImpermanence = withBackend "impermanence";
  onBoth = modules: map (backend: withBackend backend modules) [
    "impermanence"
    "preservation"
  ];

  cfgOf = evaluated: evaluated.config.environment.automaticPersistence;
  show = one: lib.concatStringsSep " " ([ one.path ] ++ lib.filter (word: word != null) [ one.user one.mode ]);
  from = source: evaluated: map show (lib.filter (one: one.source == source) (cfgOf evaluated).kept);
  left = evaluated: map (one: "${one.path} ${one.kind} ${one.by}") (cfgOf evaluated).leftAlone;

  # An option as the service's own module has it.
  option = name: default: {
    options = lib.setAttrByPath (lib.splitString "." name) (lib.mkOption { inherit default; });
  };

  unit = serviceConfig: { systemd.services.some = { inherit serviceConfig; }; };
  someState = unit {
    StateDirectory = "some some/deep";
    CacheDirectory = "some";
    User = "alice";
    StateDirectoryMode = "0750";
  };
  plain = [
    oneStore
    { services.logrotate.enable = lib.mkForce false; }
  ];
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

  an-audit-without-our-modules-knows-what-the-catalogue-knows = {
    actual =
      let
        evaluated = tools.evaluate {
          beside = [ "impermanence" ];
          imports = [ ];
          modules = [
            {
              environment.persistence."/persistent".directories = [ "/var/lib/grafana" ];
              environment.etc."nixos-containers/web.conf".text = "";
              boot.enableContainers = true;
              fileSystems = {
                "/".fsType = "tmpfs";
                "/persistent".fsType = "ext4";
                "/tank".fsType = "zfs";
              };
              services = {
                grafana.enable = true;
                mysql = {
                  enable = true;
                  dataDir = "/tank/mysql";
                };
                jellyfin = {
                  enable = true;
                  dataDir = "/persistent/jellyfin";
                };
                tailscale.enable = true;
              };
              systemd.services.tailscaled.serviceConfig.CacheDirectory = "tailscale";
            }
          ];
        };
        audited = import ../lib/audit.nix (evaluated // { inherit lib; });
        of =
          path:
          map (row: "${row.level} ${toString row.keptBy} ${toString row.declaredBy}") (
            lib.filter (row: row.path == path) audited.inventory
          );
      in
      map of [
        "/etc/nixos-containers"
        "/persistent/jellyfin"
        "/tank/mysql"
        "/var/cache/tailscale"
        "/var/lib/grafana"
        "/var/lib/nixos"
        "/var/lib/tailscale"
      ];
    expected = [
      [ ]
      [ "normal store /persistent catalogue: jellyfin" ]
      [ "important file system /tank catalogue: mysql" ]
      [ "transient  systemd.services.tailscaled.serviceConfig.CacheDirectory" ]
      [ "important configuration catalogue: grafana" ]
      [ "normal  catalogue: nixos-users" ]
      [ "secret  catalogue: tailscale" ]
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

  a-unit-says-whether-its-user-is-dynamic = {
    actual = map (dynamic: map (from "esphome") (onBoth [
      oneStore
      {
        services.esphome.enable = true;
        systemd.services.esphome.serviceConfig = {
          StateDirectory = "esphome";
          DynamicUser = dynamic;
        };
      }
    ])) [
      true
      false
    ];
    expected = [
      (lib.genList (_: [ "/var/lib/private/esphome 0700" ]) 2)
      (lib.genList (_: [ "/var/lib/esphome esphome 0750" ]) 2)
    ];
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

  what-nothing-keeps-is-named-in-one-warning = {
    actual = map (
      evaluated:
      let
        warnings = complaints evaluated;
        says = words: lib.all (warning: lib.hasInfix words warning) warnings;
      in
      {
        number = lib.length warnings;
        path = says ''directory = "/var/lib/some"; group = "users"; mode = "0750"; user = "alice";'';
        by = says "# systemd.services.some.serviceConfig.StateDirectory";
        once = !(says "/var/lib/some/deep");
        cache = says "/var/cache/some"; # transient has no store
      }
    ) (onBoth (plain ++ [ someState ]));
    expected = lib.genList (_: {
      number = 1;
      path = true;
      by = true;
      once = true;
      cache = false;
    }) 2;
  };

  what-nothing-keeps-can-be-kept = {
    actual =
      map
        (
          evaluated:
          map show (lib.filter (one: lib.hasPrefix "systemd.services.some" one.source) (cfgOf evaluated).kept)
          ++ complaints evaluated
        )
        (
          onBoth (
            plain
            ++ [
              someState
              {
                environment.automaticPersistence = {
                  undeclared = "keep";
                  transient.path = "/transient";
                };
              }
            ]
          )
        );
    expected = lib.genList (_: [
      "/var/cache/some alice"
      "/var/lib/some alice 0750"
    ]) 2;
  };

  and-reaches-the-back-end = {
    actual = lib.filter (lib.hasInfix "/some ") (
      byPreservation (
        withBackend "preservation" (
          plain
          ++ [
            someState
            { environment.automaticPersistence.undeclared = "keep"; }
          ]
        )
      )
    )."/persistent";
    expected = [ "/var/lib/some alice:users 0750" ];
  };

  exceptions-and-ignoring-are-silent = {
    actual = lib.concatMap (setting: complaints (onImpermanence (plain ++ [ someState setting ]))) [
      { environment.automaticPersistence.undeclaredExcept = [ "/var/lib/some" ]; }
      { environment.automaticPersistence.undeclared = "ignore"; }
      { environment.persistence."/by-hand".directories = [ "/var/lib/some" ]; }
    ];
    expected = [ ];
  };

  tmpfiles-and-homes-are-seen-and-decided-services-are-not-named = {
    actual = map (one: one.path) (
      lib.filter (one: one.keptBy == null) (cfgOf (onImpermanence (
        plain
        ++ [
          {
            systemd.tmpfiles.rules = [
              "d /var/lib/ruled 0700 root root -"
              "d  '/srv/quoted' - - - -"
              "d \"/var/lib/with blank\" 0700 - -"
              "D /var/lib/emptied-at-boot 0700 - -"
              "d /run/gone 0755 root root -"
              "L /var/lib/link - - - - /x"
            ];
            systemd.tmpfiles.settings.mine."/var/lib/set".d = {
              user = "root";
              group = "root";
              mode = "0755";
            };
            systemd.services = {
              "many@".serviceConfig.StateDirectory = "%p/%i";
              "many@one".wantedBy = [ "multi-user.target" ];
              named.serviceConfig.StateDirectory = "%N %H";
            };
            users.users.homely = {
              home = "/var/lib/homely";
              createHome = true;
            };
            users.users.housed = {
              home = "/home/housed";
              createHome = true;
            };
          }
        ]
      ))).inventory
    );
    expected = [
      "/home/housed"
      "/srv/quoted"
      "/var/lib/homely"
      "/var/lib/many/one"
      "/var/lib/named"
      "/var/lib/ruled"
      "/var/lib/set"
      "/var/lib/with blank"
    ];
  };

  the-machine-knows-what-it-keeps = {
    actual =
      let
        evaluated = onImpermanence [
          oneStore
          {
            services.jellyfin.enable = true;
            environment.persistence."/by-hand".directories = [ "/var/log" ];
          }
        ];
        told = builtins.fromJSON evaluated.config.environment.etc."imptrace/kept.json".text;
      in
      {
        inherit (told) schema backend stores;
        some = lib.filter (
          one:
          lib.elem one.path [
            "/var/lib/jellyfin"
            "/var/log"
          ]
        ) told.kept;
      };
    expected = {
      schema = "imptrace.kept/1";
      backend = "impermanence";
      stores = [
        "/persistent"
        "/by-hand"
      ];
      some = [
        {
          path = "/var/lib/jellyfin";
          store = "/persistent";
          level = "normal";
          kind = "directory";
          declaredBy = "jellyfin";
        }
        {
          path = "/var/log";
          store = "/by-hand";
          level = null;
          kind = "directory";
          declaredBy = "configuration";
        }
      ];
    };
  };
}
