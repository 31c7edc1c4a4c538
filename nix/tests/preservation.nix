# Cases for the modules with preservation as the back end: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib imptrace;
  inherit (import ./fixtures.nix tools)
    byImpermanence
    byPreservation
    complaints
    evaluateFixtures
    kept
    oneStore
    ;

  withModules =
    modules:
    evaluateFixtures {
      beside = [ "preservation" ];
      inherit modules;
    };
  mailer.services.mailer.enable = true;

  always = "/var/lib/always root:root 0755 early";

  twoStores = {
    environment.machineId.persistence = { };
    environment.automaticPersistence = {
      normal.path = "/normal";
      secret.path = "/secret";
    };
  };
in
{
  nothing-is-kept-without-a-store = {
    actual = byPreservation (withModules [ mailer ]);
    expected = { };
  };

  the-module-switches-preservation-on = {
    actual = (withModules [ oneStore ]).config.preservation.enable;
    expected = true;
  };

  one-service = {
    actual = byPreservation (withModules [
      oneStore
      mailer
    ]);
    expected."/persistent" = [
      always
      "/var/lib/mailer mailer:mailer 0750"
    ];
  };

  the-machine-id-is-there-in-the-initrd-and-not-committed-again = {
    actual =
      let
        evaluated = withModules [ { environment.automaticPersistence.normal.path = "/persistent"; } ];
      in
      {
        kept = byPreservation evaluated;
        suppressed = evaluated.config.systemd.suppressedSystemUnits;
        mounted = map (one: one.where) evaluated.config.boot.initrd.systemd.mounts;
      };
    expected = {
      kept."/persistent" = [
        always
        "/etc/machine-id root:root 0444 early"
      ];
      suppressed = [ "systemd-machine-id-commit.service" ];
      mounted = [
        "/sysroot/var/lib/always"
        "/sysroot/etc/machine-id"
      ];
    };
  };

  an-early-directory-of-a-user-that-the-initrd-does-not-know-waits = {
    actual = byPreservation (withModules [
      oneStore
      {
        always.persistence.normal.directories = [
          {
            directory = "/var/lib/always";
            user = "mailer";
            earlyBoot = true;
          }
        ];
      }
    ]);
    expected."/persistent" = [ "/var/lib/always mailer:mailer 0755" ];
  };

  a-file-that-is-made-when-absent-is-a-link-with-a-parent = {
    actual =
      let
        evaluated = withModules [
          twoStores
          mailer
        ];
        file = lib.head evaluated.config.preservation.preserveAt."/secret".files;
      in
      {
        kept = byPreservation evaluated;
        createsTarget = file.createLinkTarget;
        parent = lib.optionalAttrs file.configureParent file.parent;
      };
    expected = {
      kept = {
        "/normal" = [
          always
          "/var/lib/mailer mailer:mailer 0750"
        ];
        "/secret" = [
          "/var/lib/mailer/keys mailer:mailer 0700"
          "/var/lib/mailer/id.key mailer:mailer 0600 symlink"
        ];
      };
      createsTarget = false;
      parent = {
        user = "mailer";
        group = "mailer";
        mode = "0750";
      };
    };
  };

  its-parent-agrees-with-the-directory-that-is-mounted-there = {
    actual =
      (withModules [
        twoStores
        mailer
      ]).config.systemd.tmpfiles.settings.preservation."/var/lib/mailer".d;
    expected = {
      user = "mailer";
      group = "mailer";
      mode = "0750";
    };
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
        kept = byPreservation evaluated;
        closed = lib.attrNames evaluated.config.systemd.tmpfiles.settings.imptrace;
      };
    expected = {
      kept."/persistent" = [
        always
        "/var/lib/private/dynamic root:root 0700"
      ];
      closed = [
        "/persistent/var/lib/private"
        "/var/lib/private"
      ];
    };
  };

  files-replaced-by-rename-are-copied-not-mounted = {
    actual =
      let
        evaluated = withModules [
          oneStore
          { services.rotator.enable = true; }
        ];
      in
      {
        mounted = byPreservation evaluated;
        copied = lib.attrNames evaluated.config.systemd.paths;
      };
    expected = {
      mounted."/persistent" = [ always ];
      copied = [ "persist-copy-persistent-var-lib-rotator.status" ];
    };
  };

  what-is-declared-by-hand-wins = {
    actual =
      let
        evaluated = withModules [
          oneStore
          mailer
          {
            preservation.preserveAt."/by-hand" = {
              directories = [ "/var/lib/mailer" ];
              users.mailer.directories = [ "x" ];
            };
          }
        ];
      in
      {
        kept = byPreservation evaluated;
        mounts = map (one: one.where) evaluated.config.systemd.mounts;
      };
    expected = {
      kept = {
        "/by-hand" = [
          "/var/lib/mailer root:root 0755"
          "/home/mailer/x mailer:mailer 0755"
        ];
        "/persistent" = [ always ];
      };
      mounts = [
        "/var/lib/mailer"
        "/home/mailer/x"
      ];
    };
  };

  mounts-can-be-hidden = {
    actual = map (option: option.name) (lib.head
      (withModules [
        oneStore
        { environment.automaticPersistence.hideMounts = true; }
      ]).config.preservation.preserveAt."/persistent".directories
    ).mountOptions;
    expected = [
      "bind"
      "X-fstrim.notrim"
      "x-gvfs-hide"
    ];
  };

  with-both-modules-an-assertion-asks-for-a-choice = {
    actual = map (lib.hasInfix "Set environment.automaticPersistence.backend") (
      complaints (evaluateFixtures {
        beside = [
          "impermanence"
          "preservation"
        ];
        modules = [ oneStore ];
      })
    );
    expected = [ true ];
  };

  with-both-modules-the-chosen-one-is-used = {
    actual =
      map
        (
          backend:
          let
            evaluated = evaluateFixtures {
              beside = [
                "impermanence"
                "preservation"
              ];
              modules = [
                oneStore
                mailer
                { environment.automaticPersistence = { inherit backend; }; }
              ];
            };
          in
          [
            (lib.length (byImpermanence evaluated)."/persistent" or [ ])
            (lib.length (byPreservation evaluated)."/persistent" or [ ])
          ]
        )
        [
          "impermanence"
          "preservation"
        ];
    expected = [
      [
        2
        0
      ]
      [
        0
        2
      ]
    ];
  };

  a-chosen-module-that-is-not-imported-is-named = {
    actual = map (lib.hasInfix "\"impermanence\", but that module is not imported") (
      complaints (withModules [
        oneStore
        { environment.automaticPersistence.backend = "impermanence"; }
      ])
    );
    expected = [ true ];
  };

  all-services = {
    actual =
      let
        evaluated = tools.evaluate {
          beside = [ "preservation" ];
          modules = [
            twoStores
            (import ./everything.nix tools)
          ];
        };
        targets = map (one: one.where) evaluated.config.systemd.mounts;
      in
      {
        isTold = lib.any (lib.hasInfix "are mounted one by") (complaints evaluated);
        twice = lib.subtractLists (lib.unique targets) targets;
        many = lib.length targets > lib.length (kept evaluated) / 2;
      };
    expected = {
      isTold = true;
      twice = [ ];
      many = true;
    };
  };
}
