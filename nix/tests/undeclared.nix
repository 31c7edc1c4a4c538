# Cases for what is found in the configuration itself, whether a catalogue knows it or not:
# { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib;
  inherit (import ./fixtures.nix tools)
    byPreservation
    cfgOf
    complaints
    from
    onBoth
    onImpermanence
    onPreservation
    oneStore
    show
    someState
    ;

  plain = [
    oneStore
    { services.logrotate.enable = lib.mkForce false; }
  ];
in
{
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
              systemd.tmpfiles.rules = [ "d /var/lib/tailscale/deep" ];
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
        "/var/lib/tailscale/deep"
      ];
    expected = [
      [ ]
      [ "normal store /persistent catalogue: jellyfin" ]
      [ "important file system /tank catalogue: mysql" ]
      [ "transient  systemd.services.tailscaled.serviceConfig.CacheDirectory" ]
      [ "important configuration catalogue: grafana" ]
      [ "normal  catalogue: nixos-users" ]
      [ "secret  catalogue: tailscale" ]
      [ "secret  systemd.tmpfiles.rules" ]
    ];
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
        onPreservation (
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

  a-unit-that-has-the-place-of-another-state-version-is-told = {
    actual =
      map
        (
          directory:
          map (lib.hasInfix "directory = \"/var/lib/private/seerr\"") (
            complaints (
              onImpermanence (
                plain
                ++ [
                  {
                    services.seerr.enable = true;
                    systemd.services.seerr.serviceConfig = {
                      StateDirectory = directory;
                      DynamicUser = true;
                    };
                  }
                ]
              )
            )
          )
        )
        [
          "jellyseerr"
          "seerr"
        ];
    expected = [
      [ ]
      [ true ]
    ];
  };

  what-a-service-is-told-to-let-go-is-excepted = {
    actual =
      map
        (
          persistence:
          map (row: row.isExcepted) (
            lib.filter (row: row.path == "/var/lib/jellyfin") (cfgOf (onImpermanence [
              oneStore
              {
                services.jellyfin.enable = true;
                systemd.services.jellyfin.serviceConfig.StateDirectory = "jellyfin";
              }
              persistence
            ])).inventory
          )
        )
        [
          { }
          { services.jellyfin.persistence = { }; }
        ];
    expected = [
      [ false ]
      [ true ]
    ];
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
              "d /etc/ipsec.d 0700 root root -" # always empty
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

  what-is-kept-by-hand-has-a-level-in-the-inventory = {
    actual = map (row: "${row.path} ${toString row.level} ${row.keptBy}") (
      lib.filter (row: row.store == "/by-hand") (cfgOf (onImpermanence [
        oneStore
        { environment.persistence."/by-hand".directories = [ "/var/log" ]; }
      ])).inventory
    );
    expected = [ "/var/log normal configuration" ];
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
