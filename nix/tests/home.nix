# Cases for home directories, with the real home-manager: { NAME = { actual; expected; }; }.
tools:
let
  inherit (tools) lib imptrace;
  inherit (import ./fixtures.nix tools) evaluateFixtures oneStore;

  editor = ./catalogue/editor.toml;

  # A system with one home-manager user, alice, who has the fixture's editor and no program else
  # of the catalogue.
  withAlice =
    {
      beside,
      alice ? { },
      packages ? [ ],
      modules ? [ ],
    }:
    evaluateFixtures {
      beside = [ "homeManager" ] ++ lib.toList beside;
      modules = [
        oneStore
        {
          users.users.alice = { };
          home-manager.users.alice = {
            imports = [
              (imptrace.lib.programModule editor)
              alice
            ];
            options.programs.some-editor.enable = lib.mkEnableOption "the editor";
            config = {
              home.stateVersion = "25.11";
              # Those of home-manager itself would need more of nixpkgs than its lib.
              home.packages = lib.mkForce packages;
              programs.man.enable = false;
              dconf.enable = false;
              programs.some-editor.enable = lib.mkDefault true;
            };
          };
        }
      ]
      ++ modules;
    };

  package = pname: {
    type = "derivation";
    name = "${pname}-1.0";
    inherit pname;
  };

  homeOf = evaluated: evaluated.config.home-manager.users.alice;
  kept = evaluated: map (one: "${one.store} ${one.path}") (homeOf evaluated).home.automaticPersistence.kept;

  paths = store: map (one: one.dirPath) store.directories ++ map (one: one.filePath) store.files;
  inHomePersistence = evaluated: lib.mapAttrs (_: paths) (homeOf evaluated).home.persistence;

  targets = evaluated: map (one: "${one.what} -> ${one.where}") evaluated.config.systemd.mounts;

  normal.home.automaticPersistence.normal.path = "/persistent";
  separately.home.automaticPersistence = {
    transient.path = "/transient";
    normal.path = "/normal";
    secret.path = "/secret";
  };
in
{
  nothing-is-kept-until-a-level-has-a-store-for-homes = {
    actual = kept (withAlice {
      beside = "impermanence";
    });
    expected = [ ];
  };

  one-program = {
    actual = inHomePersistence (withAlice {
      beside = "impermanence";
      alice = normal;
    });
    expected."/persistent" = [
      "/home/alice/.config/some-editor"
      "/home/alice/.local/share/some-editor/keys"
    ];
  };

  both-places-where-the-xdg-directories-are-elsewhere = {
    actual = kept (withAlice {
      beside = "impermanence";
      alice = lib.recursiveUpdate normal {
        xdg = {
          enable = true;
          configHome = "/home/alice/settings";
          dataHome = "/srv/elsewhere";
        };
      };
    });
    expected = [
      "/persistent .config/some-editor"
      "/persistent .local/share/some-editor/keys"
      "/persistent .some_history"
      "/persistent settings/some-editor"
    ];
  };

  each-level-on-a-store-of-its-own = {
    actual = inHomePersistence (withAlice {
      beside = "impermanence";
      alice = separately;
    });
    expected = {
      "/transient" = [ "/home/alice/.cache/some-editor" ];
      "/normal" = [ "/home/alice/.config/some-editor" ];
      "/secret" = [ "/home/alice/.local/share/some-editor/keys" ];
    };
  };

  impermanence-mounts-them = {
    actual = targets (withAlice {
      beside = "impermanence";
      alice = normal;
    });
    expected = [
      "/persistent/var/lib/always -> /var/lib/always"
      "/persistent/home/alice/.config/some-editor -> /home/alice/.config/some-editor"
      "/persistent/home/alice/.local/share/some-editor/keys -> /home/alice/.local/share/some-editor/keys"
    ];
  };

  preservation-mounts-them = {
    actual = targets (withAlice {
      beside = "preservation";
      alice = normal;
    });
    expected = [
      "/persistent/home/alice/.config/some-editor -> /home/alice/.config/some-editor"
      "/persistent/home/alice/.local/share/some-editor/keys -> /home/alice/.local/share/some-editor/keys"
    ];
  };

  preservation-gives-them-to-the-user = {
    actual = map (one: "${one.user}:${one.group} ${one.mode}") (
      lib.filter (one: one.how == "bindmount")
        (withAlice {
          beside = "preservation";
          alice = normal;
        }).config.preservation.preserveAt."/persistent".users.alice.directories
    );
    expected = [
      "alice:alice 0700"
      "alice:alice 0700"
    ];
  };

  preservation-links-a-file-in-the-home-itself-and-leaves-the-home-alone = {
    actual =
      let
        evaluated = withAlice {
          beside = "preservation";
          alice.imports = [
            normal
            {
              programs.some-editor.persistence.normal.files = map (file: {
                inherit file;
                method = "symlink";
              }) [ ".somerc" ".config/otherrc" ];
            }
          ];
        };
      in
      lib.listToAttrs (
        map (one: lib.nameValuePair one.file one.configureParent)
          evaluated.config.preservation.preserveAt."/persistent".users.alice.files
      );
    expected = {
      "/home/alice/.somerc" = false;
      "/home/alice/.config/otherrc" = true;
    };
  };

  a-program-that-is-off-keeps-nothing = {
    actual = kept (withAlice {
      beside = "impermanence";
      alice.imports = [
        normal
        { programs.some-editor.enable = false; }
      ];
    });
    expected = [ ];
  };

  a-definition-takes-the-place-of-the-default = {
    actual = kept (withAlice {
      beside = "impermanence";
      alice.imports = [
        normal
        { programs.some-editor.persistence.important.directories = [ "notes" ]; }
      ];
    });
    expected = [ "/persistent notes" ];
  };

  histories-are-copied-by-the-users-own-services = {
    actual =
      let
        evaluated = withAlice {
          beside = "impermanence";
          alice = normal;
        };
        inherit ((homeOf evaluated).systemd.user) paths services;
        name = "persist-copy-.some_history";
      in
      {
        watched = paths.${name}.Path.PathChanged;
        restores = services."${name}-restore".Service ? ExecStart;
        saves = services.${name}.Service ? ExecStart;
        store = evaluated.config.systemd.tmpfiles.settings.imptrace."/persistent/home/alice".d;
      };
    expected = {
      watched = "/home/alice/.some_history";
      restores = true;
      saves = true;
      store = {
        user = "alice";
        group = "alice";
        mode = "0700";
      };
    };
  };

  what-is-declared-by-hand-wins = {
    actual = kept (withAlice {
      beside = "impermanence";
      alice.imports = [
        normal
        { home.persistence."/by-hand".directories = [ ".config/some-editor" ]; }
      ];
      modules = [
        { environment.persistence."/by-hand".users.alice.directories = [ ".local/share/some-editor" ]; }
      ];
    });
    expected = [ "/persistent .some_history" ];
  };

  what-is-declared-by-hand-wins-with-preservation = {
    actual = targets (withAlice {
      beside = "preservation";
      alice = normal;
      modules = [
        { preservation.preserveAt."/by-hand".users.alice.directories = [ ".config" ]; }
      ];
    });
    expected = [
      "/by-hand/home/alice/.config -> /home/alice/.config"
      "/persistent/home/alice/.local/share/some-editor/keys -> /home/alice/.local/share/some-editor/keys"
    ];
  };

  a-program-without-an-enable-option-is-on-when-it-is-installed = {
    actual = map (packages: lib.length (kept (withAlice {
      beside = "impermanence";
      alice.imports = [
        normal
        { programs.some-editor.enable = false; }
      ];
      inherit packages;
    })) > 0) [
      [ ]
      [ (package "steam") ]
    ];
    expected = [
      false
      true
    ];
  };

  every-program-can-be-on = {
    actual =
      let
        entries = lib.filter (entry: entry.enable != [ ]) (lib.attrValues imptrace.lib.programs);
        evaluated = withAlice {
          beside = "impermanence";
          alice.imports = [ separately ];
          packages = map (entry: package entry.id) (lib.attrValues imptrace.lib.programs);
        };
      in
      [
        (lib.length (kept evaluated) > 100)
        (lib.length entries > 50)
      ];
    expected = [
      true
      true
    ];
  };

  real-programs-have-the-option = {
    actual =
      let
        evaluated = withAlice {
          beside = "impermanence";
          alice.imports = [
            normal
            {
              programs.firefox = {
                enable = true;
                package = null;
              };
            }
          ];
        };
      in
      lib.any (lib.hasSuffix "firefox") (kept evaluated);
    expected = true;
  };
}
