# Cases for the modules, with real back ends: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib imptrace;
  inherit (import ./fixtures.nix tools)
    byImpermanence
    complaints
    evaluate
    evaluateFixtures
    kept
    oneStore
    ;

  withModules = modules: evaluateFixtures { inherit modules; };

  mailer.services.mailer.enable = true;
  separately.environment = {
    machineId.persistence = { };
    automaticPersistence = {
      transient.path = "/transient";
      normal.path = "/normal";
      important.path = "/important";
      secret.path = "/secret";
    };
  };

  always = "/var/lib/always root:root 0755";
in
{
  nothing-is-kept-without-a-store = {
    actual = byImpermanence (withModules [ mailer ]);
    expected = { };
  };

  services-that-are-off-keep-nothing = {
    actual = byImpermanence (withModules [ oneStore ]);
    expected."/persistent" = [ always ];
  };

  one-service = {
    actual = byImpermanence (withModules [
      oneStore
      mailer
    ]);
    expected."/persistent" = [
      always
      "/var/lib/mailer mailer:mailer 0750"
    ];
  };

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

  machine-id-is-kept-by-default = {
    actual = byImpermanence (withModules [
      { environment.automaticPersistence.normal.path = "/persistent"; }
    ]);
    expected."/persistent" = [
      always
      "/etc/machine-id auto"
    ];
  };

  each-level-on-a-store-of-its-own = {
    actual = byImpermanence (withModules [
      separately
      mailer
    ]);
    expected = {
      "/transient" = [ "/var/cache/mailer mailer:mailer 0755" ];
      "/normal" = [
        always
        "/var/lib/mailer mailer:mailer 0750"
      ];
      "/secret" = [
        "/var/lib/mailer/keys mailer:mailer 0700"
        "/var/lib/mailer/id.key symlink"
      ];
    };
  };

  a-file-in-a-directory-of-another-store-is-linked-after-the-directory-is-mounted = {
    actual =
      (withModules [
        separately
        mailer
      ]).config.systemd.services."persist-secret-var-lib-mailer-id.key".unitConfig;
    expected = {
      DefaultDependencies = false;
      RequiresMountsFor = [ "/var/lib/mailer" ];
    };
  };

  what-lies-in-a-directory-of-another-store-does-not-change-its-owner = {
    actual =
      let
        scripts =
          (withModules [
            separately
            mailer
          ]).config.system.activationScripts;
      in
      {
        knows = lib.hasInfix "/secret/var/lib/mailer mailer mailer 0750 /normal/var/lib/mailer /var/lib/mailer" (
          lib.replaceStrings [ "'" ] [ "" ] scripts.persistentParents.text
        );
        before = lib.elem "persistentParents" scripts.createPersistentStorageDirs.deps;
      };
    expected = {
      knows = true;
      before = true;
    };
  };

  a-renamed-file-cannot-leave-the-store-of-its-directory = {
    actual = map (lib.hasInfix "/var/lib/mailer/queue.state (asked for by mailer)") (
      complaints (withModules [
        separately
        mailer
      ])
    );
    expected = [ true ];
  };

  important-and-secret-fall-back-to-normal-and-normal-to-transient = {
    actual = map (levels: kept (withModules [
      mailer
      {
        environment.machineId.persistence = { };
        environment.automaticPersistence = levels;
      }
    ])) [
      { transient.path = "/t"; }
      {
        normal = "/n";
        secret.path = "/s";
      }
    ];
    expected = [
      [
        "/t/var/cache/mailer"
        "/t/var/lib/always"
        "/t/var/lib/mailer"
      ]
      [
        "/n/var/lib/always"
        "/n/var/lib/mailer"
        "/s/var/lib/mailer/id.key"
        "/s/var/lib/mailer/keys"
      ]
    ];
  };

  null-switches-a-level-off = {
    actual = map (off: kept (withModules [
      mailer
      {
        environment.machineId.persistence = { };
        environment.automaticPersistence = {
          transient.path = "/t";
          normal = off;
          secret.path = "/s";
        };
      }
    ])) [
      null
      { path = null; }
    ];
    expected =
      let
        without = [
          "/t/var/cache/mailer"
          "/s/var/lib/mailer/id.key"
          "/s/var/lib/mailer/keys"
        ];
      in
      [
        without
        without
      ];
  };

  an-empty-set-keeps-nothing-of-the-service = {
    actual = kept (withModules [
      oneStore
      mailer
      { services.mailer.persistence = { }; }
    ]);
    expected = [ "/persistent/var/lib/always" ];
  };

  a-definition-takes-the-place-of-the-default = {
    actual = byImpermanence (withModules [
      separately
      mailer
      { services.mailer.persistence.important.directories = [ "/var/spool/mailer" ]; }
    ]);
    expected = {
      "/normal" = [ always ];
      "/important" = [ "/var/spool/mailer root:root 0755" ];
    };
  };

  a-plain-string-has-the-owner-and-mode-that-the-catalogue-knows = {
    actual = byImpermanence (withModules [
      separately
      mailer
      { services.mailer.persistence.important.directories = [ "/var/lib/mailer" ]; }
    ]);
    expected = {
      "/normal" = [ always ];
      "/important" = [ "/var/lib/mailer mailer:mailer 0750" ];
    };
  };

  an-owner-that-does-not-exist-is-left-to-the-back-end = {
    actual = byImpermanence (withModules [
      oneStore
      mailer
      {
        services.mailer.persistence.normal.directories = [
          {
            directory = "/var/lib/mailer";
            user = "nobody-here";
            group = "mailer";
            mode = "0700";
          }
        ];
      }
    ]);
    expected."/persistent" = [
      always
      "/var/lib/mailer root:root 0700"
    ];
  };

  few-mounts-keep-whole-what-most-services-have-theirs-in = {
    actual =
      let
        merged =
          few:
          (withModules [ { environment.automaticPersistence.fewMounts = few; } ])
          .config.environment.automaticPersistence.merged;
      in
      {
        always = merged false;
        few = merged true;
      };
    expected = {
      always = [ "/var/cache" ];
      few = [
        "/var/cache"
        "/var/log"
        "/var/lib"
      ];
    };
  };

  one-service-beside-all-is-declared-once = {
    actual =
      (tools.evaluate {
        imports = [
          imptrace.nixosModules.networkmanager
          imptrace.nixosModules.default
          imptrace.nixosModules.openssh
        ];
        modules = [ { networking.networkmanager.persistence = { }; } ];
      }).config.networking.networkmanager.persistence.normal.directories;
    expected = [ ];
  };

  a-definition-of-the-weight-of-a-default-merges-with-it = {
    actual = byImpermanence (withModules [
      oneStore
      mailer
      { services.mailer.persistence = lib.mkOptionDefault { normal.directories = [ "/srv/mail" ]; }; }
    ]);
    expected."/persistent" = [
      "/srv/mail root:root 0755"
      always
      "/var/lib/mailer mailer:mailer 0750"
    ];
  };

  definitions-merge = {
    actual = kept (withModules [
      oneStore
      mailer
      {
        services.mailer.persistence = lib.mkMerge [
          { normal.directories = [ "/a" ]; }
          { normal.directories = [ "/b" ]; }
          (lib.mkIf false { normal.directories = [ "/c" ]; })
        ];
      }
      { services.mailer.persistence.secret.files = [ "/d" ]; }
    ]);
    expected = [
      "/persistent/a"
      "/persistent/b"
      "/persistent/d"
      "/persistent/var/lib/always"
    ];
  };

  the-default-can-be-extended = {
    actual = kept (withModules [
      oneStore
      mailer
      (
        { options, ... }:
        {
          services.mailer.persistence = lib.mkMerge [
            options.services.mailer.persistence.default
            { normal.directories = [ "/a" ]; }
          ];
        }
      )
    ]);
    expected = [
      "/persistent/a"
      "/persistent/var/lib/always"
      "/persistent/var/lib/mailer"
    ];
  };

  mkDefault-gives-way-and-mkForce-wins = {
    actual = map
      (
        definitions:
        kept (
          withModules (
            [
              oneStore
              mailer
            ]
            ++ map (definition: { services.mailer.persistence = definition; }) definitions
          )
        )
      )
      [
        [
          (lib.mkDefault { normal.directories = [ "/a" ]; })
        ]
        [
          (lib.mkDefault { normal.directories = [ "/a" ]; })
          { normal.directories = [ "/b" ]; }
        ]
        [
          { normal.directories = [ "/a" ]; }
          (lib.mkForce { normal.directories = [ "/b" ]; })
        ]
      ];
    expected = [
      [
        "/persistent/a"
        "/persistent/var/lib/always"
      ]
      [
        "/persistent/b"
        "/persistent/var/lib/always"
      ]
      [
        "/persistent/b"
        "/persistent/var/lib/always"
      ]
    ];
  };

  a-service-that-the-release-does-not-have-is-no-error = {
    actual = byImpermanence (evaluateFixtures {
      declared = [ ];
      modules = [
        oneStore
        { services.mailer.persistence.normal.directories = [ "/a" ]; }
      ];
    });
    expected."/persistent" = [ always ];
  };

  a-service-that-was-removed-is-no-error = {
    actual = byImpermanence (evaluateFixtures {
      declared = [ ];
      modules = [
        oneStore
        (lib.mkRemovedOptionModule [ "services" "mailer" "enable" ] "Use another mailer.")
      ];
    });
    expected."/persistent" = [ always ];
  };

  a-service-that-was-renamed-is-read-through-its-alias = {
    actual = kept (evaluateFixtures {
      declared = [ ];
      modules = [
        oneStore
        (lib.mkAliasOptionModule [ "services" "mailer" "enable" ] [ "services" "postman" "enable" ])
        {
          options.services.postman.enable = lib.mkEnableOption "postman";
          config.services.postman.enable = true;
        }
      ];
    });
    expected = [
      "/persistent/var/lib/always"
      "/persistent/var/lib/mailer"
    ];
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

  what-is-declared-by-hand-wins = {
    actual =
      let
        evaluated = withModules [
          oneStore
          mailer
          {
            environment.persistence."/by-hand" = {
              hideMounts = true;
              directories = [ "/var/lib/mailer" ];
              files = [ "/etc/adjtime" ];
            };
          }
        ];
      in
      {
        kept = byImpermanence evaluated;
        complaints = complaints evaluated;
        hidden = map (one: one.hideMount) evaluated.config.environment.persistence."/by-hand".directories;
      };
    expected = {
      kept = {
        "/by-hand" = [
          "/var/lib/mailer root:root 0755"
          "/etc/adjtime auto"
        ];
        "/persistent" = [ always ];
      };
      complaints = [ ];
      hidden = [ true ];
    };
  };

  what-is-declared-by-hand-in-the-same-store-merges = {
    actual = byImpermanence (withModules [
      oneStore
      mailer
      { environment.persistence."/persistent".directories = [ "/var/spool" ]; }
    ]);
    expected."/persistent" = [
      "/var/spool root:root 0755"
      always
      "/var/lib/mailer mailer:mailer 0750"
    ];
  };

  mounts-can-be-hidden = {
    actual = map (one: one.hideMount) (withModules [
      oneStore
      { environment.automaticPersistence.hideMounts = true; }
    ]).config.environment.persistence."/persistent".directories;
    expected = [ true ];
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
