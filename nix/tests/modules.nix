# Cases for the modules, with a real back end: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib imptrace;
  inherit (import ./fixtures.nix tools)
    always
    byImpermanence
    complaints
    evaluate
    evaluateFixtures
    kept
    mailer
    oneStore
    separately
    withModules
    ;
in
{
  the-recorder-is-a-service-whose-state-is-kept = {
    actual =
      let
        evaluated = tools.evaluate {
          imports = [ imptrace.nixosModules.imptrace ];
          modules = [
            oneStore
            {
              services.imptrace = {
                enable = true;
                package = tools.pkgs.coreutils;
                keep = "7d";
              };
            }
          ];
        };
        unit = evaluated.config.systemd.services.imptrace;
      in
      {
        kept = lib.filter (lib.hasPrefix "/var/lib/imptrace") (byImpermanence evaluated)."/persistent";
        inherit (unit) wantedBy;
        inherit (unit.serviceConfig) StateDirectory;
        asked = lib.hasSuffix "/bin/imptrace watch --quiet --every 1d --keep 7d --at-most 500M --socket /run/imptrace/imptrace.sock" unit.serviceConfig.ExecStart;
      };
    expected = {
      kept = [ "/var/lib/imptrace root:root 0700" ];
      wantedBy = [ "multi-user.target" ];
      StateDirectory = "imptrace";
      asked = true;
    };
  };

  the-place-follows-the-services-own-option = {
    actual =
      map
        (
          dataDir:
          byImpermanence (withModules [
            oneStore
            {
              services.database = {
                enable = true;
                inherit dataDir;
              };
            }
          ])
        )
        [
          null
          "/data/db"
          "/var/lib/database/17"
        ];
    expected = [
      {
        "/persistent" = [
          always
          "/var/lib/database database:database 0700"
        ];
      }
      {
        "/persistent" = [
          "/data/db database:database 0700"
          always
        ];
      }
      {
        "/persistent" = [
          always
          "/var/lib/database database:database 0700"
        ];
      }
    ];
  };

  any-of-several-options-switches-a-service-on = {
    actual = map (set: kept (withModules [
      oneStore
      { services.rotator = set; }
    ])) [
      { enable = true; }
      { jobs = [ "a" ]; }
      { jobs = [ ]; }
    ];
    expected = [
      [
        "/persistent/var/lib/always"
        "/persistent/var/lib/rotator.status"
      ]
      [
        "/persistent/var/lib/always"
        "/persistent/var/lib/rotator.status"
      ]
      [ "/persistent/var/lib/always" ]
    ];
  };

  every-instance-has-a-path = {
    actual = byImpermanence (withModules [
      oneStore
      {
        services.multi.servers = {
          one = { };
          two.enable = false;
        };
      }
    ]);
    expected."/persistent" = [
      always
      "/var/lib/multi-one root:root 0700"
    ];
  };

  an-entry-without-an-option-is-found-beside-the-levels = {
    actual = map (persistence: kept (withModules [
      oneStore
      {
        services.nameless.enable = true;
        environment.automaticPersistence.entries.nameless.persistence = persistence;
      }
    ])) [
      { normal.directories = [ "/a" ]; }
      { }
    ];
    expected = [
      [
        "/persistent/a"
        "/persistent/var/lib/always"
      ]
      [ "/persistent/var/lib/always" ]
    ];
  };

  dynamic-users-have-closed-directories = {
    actual =
      let
        evaluated = withModules [
          oneStore
          { services.dynamic.enable = true; }
        ];
      in
      {
        kept = byImpermanence evaluated;
        modes = lib.mapAttrs (
          _: rule: "${rule.d.user} ${rule.d.mode}"
        ) evaluated.config.systemd.tmpfiles.settings.imptrace;
      };
    expected = {
      kept."/persistent" = [
        always
        "/var/lib/private/dynamic root:root 0700"
      ];
      modes = {
        "/var/lib/private" = "root 0700";
        "/persistent/var/lib/private" = "root 0700";
      };
    };
  };

  files-replaced-by-rename-are-copied-not-mounted = {
    actual =
      let
        evaluated = withModules [
          oneStore
          { services.rotator.enable = true; }
        ];
        inherit (evaluated.config.systemd) paths services;
        name = "persist-copy-persistent-var-lib-rotator.status";
      in
      {
        mounted = byImpermanence evaluated;
        watched = paths.${name}.pathConfig.PathChanged;
        restoredBefore = services."${name}-restore".before;
        savesAtShutdown = services."${name}-restore".serviceConfig ? ExecStop;
        saves = services.${name}.serviceConfig ? ExecStart;
      };
    expected = {
      mounted."/persistent" = [ always ];
      watched = "/var/lib/rotator.status";
      restoredBefore = [
        "sysinit.target"
        "shutdown.target"
      ];
      savesAtShutdown = true;
      saves = true;
    };
  };

  a-single-service-can-be-imported = {
    actual = kept (evaluate {
      imports = [
        imptrace.nixosModules.networkmanager
        imptrace.nixosModules.openssh
      ];
      modules = [
        oneStore
        { networking.networkmanager.enable = true; }
      ];
    });
    expected = [
      "/persistent/etc/NetworkManager/system-connections"
      "/persistent/var/lib/NetworkManager"
      "/persistent/var/lib/nixos"
    ];
  };

  nixos-impermanence-had-the-host-keys-elsewhere = {
    actual = lib.filter (lib.hasInfix "ssh") (
      kept (evaluate {
        modules = [
          oneStore
          { services.openssh.enable = true; }
          { programs.ssh.persistence.secret.files = [ "/etc/ssh/ssh_host_ed25519_key" ]; }
        ];
      })
    );
    expected = [ "/persistent/etc/ssh/ssh_host_ed25519_key" ];
  };

  without-a-back-end-an-assertion-says-what-to-import = {
    actual = map (lib.hasInfix "Import nixosModules.impermanence") (
      complaints (evaluateFixtures {
        beside = [ ];
        modules = [
          oneStore
          mailer
        ];
      })
    );
    expected = [ true ];
  };

  whole-directories-of-nixos-are-refused = {
    actual = map (lib.hasInfix "/etc/ssh (asked for by mailer)") (
      complaints (withModules [
        oneStore
        mailer
        { services.mailer.persistence.secret.directories = [ "/etc/ssh" ]; }
      ])
    );
    expected = [ true ];
  };

  all-services = {
    actual =
      let
        evaluated = evaluate {
          modules = [
            separately
            (import ./everything.nix tools)
          ];
        };
      in
      {
        isTold = lib.any (lib.hasInfix "are mounted one by") (complaints evaluated);
        many = lib.length evaluated.config.systemd.mounts > lib.length (kept evaluated) / 2;
      };
    expected = {
      isTold = true;
      many = true;
    };
  };
}
