# Cases for releases that are older or newer than the catalogue: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib;
  inherit (import ./fixtures.nix tools)
    always
    byImpermanence
    evaluateFixtures
    kept
    oneStore
    ;

  later =
    modules:
    evaluateFixtures {
      declared = [ ];
      modulesPath = ./later;
      modules = [
        oneStore
        ./later/rename.nix
      ]
      ++ modules;
    };

  # As lib.mkRenamedOptionModule does, but to read the alias fails where that tells the user off.
  renamed =
    from: to:
    lib.doRename {
      inherit from to;
      visible = false;
      warn = false;
      use = throw "an obsolete option is read";
    };
  postman.options.services.postman.enable = lib.mkEnableOption "postman";
in
{
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

  a-service-without-its-switch-is-no-error = {
    actual = byImpermanence (evaluateFixtures {
      declared = [ ];
      modules = [
        oneStore
        (lib.mkRemovedOptionModule [ "services" "mailer" "enable" ] "Use another mailer.")
      ];
    });
    expected."/persistent" = [ always ];
  };

  services-that-were-removed-are-no-error = {
    actual = byImpermanence (later [ ]);
    expected."/persistent" = [ always ];
  };

  what-was-kept-of-a-removed-service-is-found-beside-the-levels = {
    actual =
      let
        inherit (later [ ]) options;
      in
      {
        beside = options.environment.automaticPersistence.entries ? rotator;
        isGone = options.services.rotator._type;
      };
    expected = {
      beside = true;
      isGone = "option";
    };
  };

  all-services-of-the-catalogue-with-those-that-were-removed = {
    actual = lib.elem "/persistent/var/lib/nixos" (
      kept (
        tools.evaluate {
          declared = [ ];
          modulesPath = ./later;
          modules = [
            oneStore
            ./later/rename.nix
          ];
        }
      )
    );
    expected = true;
  };

  a-switch-that-was-renamed-is-read-through-its-alias = {
    actual = map (alias: kept (evaluateFixtures {
      declared = [ ];
      modules = [
        oneStore
        (alias [ "services" "mailer" "enable" ] [ "services" "postman" "enable" ])
        postman
        { services.postman.enable = true; }
      ];
    })) [
      lib.mkAliasOptionModule
      renamed
    ];
    expected = lib.genList (_: [
      "/persistent/var/lib/always"
      "/persistent/var/lib/mailer"
    ]) 2;
  };

  a-service-that-was-renamed-as-a-whole = {
    actual = kept (evaluateFixtures {
      declared = [ ];
      modules = [
        oneStore
        (renamed [ "services" "mailer" ] [ "services" "postman" ])
        postman
        { services.postman.enable = true; }
      ];
    });
    expected = [
      "/persistent/var/lib/always"
      "/persistent/var/lib/mailer"
    ];
  };

  a-user-whom-the-release-calls-otherwise-is-that-of-the-unit = {
    actual = map (user: byImpermanence (evaluateFixtures {
      declared = [ ];
      modules = [
        oneStore
        {
          options.services.mailer.enable = lib.mkEnableOption "mailer";
          config = {
            services.mailer.enable = true;
            systemd.services.mailer.serviceConfig = {
              StateDirectory = "mailer";
              User = user;
            };
            users.users.postman.group = "post";
          };
        }
      ];
    })) [
      "postman"
      "nobody-here"
    ];
    expected = [
      {
        "/persistent" = [
          always
          "/var/lib/mailer postman:post 0750"
        ];
      }
      {
        "/persistent" = [
          always
          "/var/lib/mailer root:root 0750"
        ];
      }
    ];
  };
}
