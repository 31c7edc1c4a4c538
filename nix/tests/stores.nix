# Cases for which store keeps what, with a real back end: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib;
  inherit (import ./fixtures.nix tools)
    always
    byImpermanence
    complaints
    kept
    mailer
    oneStore
    separately
    withModules
    ;
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
}
