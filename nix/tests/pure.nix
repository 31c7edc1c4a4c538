# Cases for the functions that need nothing but builtins: { NAME = { actual; expected; }; }.
let
  inherit (import ../.) lib;
  inherit (lib)
    defaults
    lookup
    paths
    ;

  # An option as the module system has it, for lookup.
  option = value: {
    declared._type = "option";
    inherit value;
  };

  someOptions = {
    a = option "x";
    gone = option (throw "The option can no longer be used since it's been removed.");
    deep = option { inner.value = 3; };
  };

  read = lookup {
    options.services = builtins.mapAttrs (_: one: one.declared) someOptions;
    config.services = builtins.mapAttrs (_: one: one.value) someOptions;
  };

  entry = persist: {
    inherit persist;
    instance = [ ];
  };

  # The one directory that an entry with this record keeps, the followed option having `value`.
  followed =
    record: value:
    let
      levels = defaults {
        entry = entry [
          (
            {
              level = "normal";
              follows = "x";
            }
            // record
          )
        ];
        lookup = _: {
          exists = true;
          inherit value;
        };
      };
    in
    map (one: one.directory) (levels.normal.directories or [ ]);

  homeFollowed =
    value:
    (builtins.head
      (defaults {
        entry = entry [
          {
            path = ".bash_history";
            kind = "file";
            level = "normal";
            follows = "x";
          }
        ];
        lookup = _: {
          exists = true;
          inherit value;
        };
        home = "/home/alice";
      }).normal.files
    ).file;
in
{
  ancestors = {
    actual = map paths.ancestorsOf [
      "/a/b/c"
      "a/b"
      "/a"
      "/"
    ];
    expected = [
      [
        "/a"
        "/a/b"
      ]
      [ "a" ]
      [ ]
      [ ]
    ];
  };

  covers-itself-and-below-but-not-siblings = {
    actual = map (paths.covers "/var/lib") [
      "/var/lib"
      "/var/lib/"
      "/var/lib/x"
      "/var/library"
      "/var"
    ];
    expected = [
      true
      true
      true
      false
      false
    ];
  };

  private-names = {
    actual = map paths.privateName [
      "/var/lib/x"
      "/var/lib/private/x"
      "/data/x"
    ];
    expected = [
      "/var/lib/private/x"
      "/var/lib/private/x"
      "/data/x"
    ];
  };

  lookup-finds-values-of-options-and-within-them = {
    actual = map read [
      "services.a"
      "services.deep.inner.value"
    ];
    expected = [
      {
        exists = true;
        value = "x";
      }
      {
        exists = true;
        value = 3;
      }
    ];
  };

  lookup-of-what-is-not-declared-or-was-removed-is-absent = {
    actual = map (name: (read name).exists) [
      "services.gone"
      "services.never"
      "services.deep.outer"
      "services"
      "other.a"
    ];
    expected = [
      false
      false
      false
      false
      false
    ];
  };

  follows-a-value-elsewhere = {
    actual = followed { path = "/var/lib/x"; } "/data/x/";
    expected = [ "/data/x" ];
  };

  follows-with-what-is-inside = {
    actual =
      let
        keys = {
          path = "/var/lib/x/a/keys";
          level = "secret";
        };
        directoriesWith =
          options:
          map (one: one.directory)
            (defaults {
              entry = entry [
                {
                  path = "/var/lib/x";
                  level = "normal";
                  follows = "outer";
                }
                {
                  path = "/var/lib/x/a";
                  level = "normal";
                  follows = "inner";
                }
                keys
              ];
              lookup = name: {
                exists = options ? ${name};
                value = options.${name} or null;
              };
            }).secret.directories;
      in
      map directoriesWith [
        { }
        { outer = "/srv/x"; }
        {
          outer = "/srv/x";
          inner = null;
        }
        {
          outer = "/srv/x";
          inner = "/srv/a";
        }
        { outer = "/var/lib/x/16"; }
      ];
    expected = [
      [ "/var/lib/x/a/keys" ]
      [ "/srv/x/a/keys" ]
      [ "/srv/x/a/keys" ]
      [ "/srv/a/keys" ]
      [ "/var/lib/x/a/keys" ]
    ];
  };

  follows-nothing-within-the-path-itself = {
    actual = map (followed { path = "/var/lib/postgresql"; }) [
      "/var/lib/postgresql"
      "/var/lib/postgresql/16"
      null
    ];
    expected = [
      [ "/var/lib/postgresql" ]
      [ "/var/lib/postgresql" ]
      [ "/var/lib/postgresql" ]
    ];
  };

  follows-the-private-directory-of-a-dynamic-user = {
    actual = map (followed { path = "/var/lib/private/x"; }) [
      "/var/lib/x"
      "/var/lib/y"
      "/data/y"
    ];
    expected = [
      [ "/var/lib/private/x" ]
      [ "/var/lib/private/y" ]
      [ "/data/y" ]
    ];
  };

  follows-with-prefix-and-suffix = {
    actual = map
      (followed {
        path = "/var/lib/x/data";
        follows-prefix = "/var/lib/";
        follows-suffix = "/data";
      })
      [
        "y"
        "/srv/y"
      ];
    expected = [
      [ "/var/lib/y/data" ]
      [ "/srv/y/data" ]
    ];
  };

  follows-nowhere-into-the-store = {
    actual = followed { path = "/etc/x"; } "${builtins.storeDir}/hash-x";
    expected = [ ];
  };

  follows-within-the-home-directory-only = {
    actual = map homeFollowed [
      "/home/alice/.history"
      ".history"
      "$XDG_STATE_HOME/history"
      "/data/history"
      null
    ];
    expected = [
      ".history"
      ".history"
      ".bash_history"
      ".bash_history"
      ".bash_history"
    ];
  };

  patterns-are-not-kept = {
    actual = defaults {
      entry = entry [
        {
          path = ".mozilla/firefox/*/key4.db";
          kind = "file";
          level = "secret";
        }
      ];
    };
    expected = { };
  };

  private-directories-are-closed = {
    actual = defaults {
      entry = entry [
        {
          path = "/var/lib/private/x";
          level = "normal";
        }
      ];
    };
    expected.normal.directories = [
      {
        directory = "/var/lib/private/x";
        mode = "0700";
      }
    ];
  };

  how-a-file-is-written-decides-its-method = {
    actual = defaults {
      entry = entry [
        {
          path = "/a";
          kind = "file";
          level = "normal";
          written = "rename";
        }
        {
          path = "/b";
          kind = "file";
          level = "secret";
          written = "if-absent";
          mode = "0600";
        }
        {
          path = "/c";
          kind = "file";
          level = "secret";
        }
      ];
    };
    expected = {
      normal.files = [
        {
          file = "/a";
          method = "copy";
        }
      ];
      secret.files = [
        {
          file = "/b";
          method = "symlink";
          mode = "0600";
        }
        { file = "/c"; }
      ];
    };
  };

  paths-of-other-state-versions-are-left-out = {
    actual =
      map
        (
          stateVersion:
          map (one: one.directory)
            (defaults {
              inherit stateVersion;
              entry = entry [
                {
                  path = "/old";
                  level = "normal";
                  before-state-version = "24.11";
                }
                {
                  path = "/new";
                  level = "normal";
                  since-state-version = "24.11";
                }
              ];
            }).normal.directories
        )
        [
          "23.05"
          "24.11"
          "25.05"
        ];
    expected = [
      [ "/old" ]
      [ "/new" ]
      [ "/new" ]
    ];
  };

  each-enabled-instance-has-its-path = {
    actual = defaults {
      entry = {
        persist = [ ];
        instance = [
          {
            each = "services.redis.servers";
            path = "/var/lib/redis-<name>";
            user = "redis-<name>";
            level = "important";
          }
        ];
      };
      lookup = _: {
        exists = true;
        value = {
          "".enable = true;
          cache.enable = true;
          off.enable = false;
        };
      };
    };
    expected.important.directories = [
      {
        directory = "/var/lib/redis";
        user = "redis";
      }
      {
        directory = "/var/lib/redis-cache";
        user = "redis-cache";
      }
    ];
  };
}
