# Cases for what users declare beside or for the defaults: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib imptrace;
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
}
