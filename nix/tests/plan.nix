# Cases for lib/plan.nix, which need nothing but builtins.
let
  inherit ((import ../.).lib) plan;

  request = level: directories: {
    enabled = true;
    levels = {
      transient = nothing;
      normal = nothing;
      important = nothing;
      secret = nothing;
    }
    // {
      ${level} = nothing // {
        directories = map (directory: unknown // directory) directories;
      };
    };
  };
  unknown = {
    user = null;
    group = null;
    mode = null;
    earlyBoot = false;
  };
  nothing = {
    directories = [ ];
    files = [ ];
  };

  brief = map (one: "${one.level} ${one.store}${one.path} ${one.source}");

  twoStores = {
    transient = null;
    normal = "/n";
    important = "/n";
    secret = "/s";
  };
in
{
  plan-keeps-a-path-once-at-its-highest-level = {
    actual = map
      (one: [
        one.level
        one.path
        one.mode
      ])
      (plan {
        stores = twoStores;
        requests = {
          a = request "normal" [
            {
              directory = "/x/";
              mode = "0750";
            }
          ];
          b = request "secret" [ { directory = "/x"; } ];
        };
      });
    expected = [
      [
        "secret"
        "/x"
        "0750"
      ]
    ];
  };

  plan-drops-what-lies-in-a-kept-directory-of-the-same-store = {
    actual = brief (plan {
      stores = twoStores;
      requests = {
        outer = request "normal" [ { directory = "/x"; } ];
        inner = request "important" [ { directory = "/x/y/z"; } ];
        sibling = request "normal" [ { directory = "/xy"; } ];
      };
    });
    expected = [
      "normal /n/x outer"
      "normal /n/xy sibling"
    ];
  };

  plan-keeps-what-lies-in-a-directory-of-another-store = {
    actual = map (one: [
      one.path
      (if one.within == null then null else one.within.path)
    ]) (plan {
      stores = twoStores;
      requests = {
        outer = request "normal" [ { directory = "/x"; } ];
        middle = request "secret" [ { directory = "/x/y"; } ];
        inner = request "normal" [ { directory = "/x/y/z"; } ];
      };
    });
    expected = [
      [
        "/x"
        null
      ]
      [
        "/x/y"
        "/x"
      ]
      [
        "/x/y/z"
        "/x/y"
      ]
    ];
  };

  plan-leaves-alone-what-is-declared-by-hand = {
    actual = brief (plan {
      stores = twoStores;
      declared = [
        "/var/log"
        "/home/"
      ];
      requests.a = request "normal" [
        { directory = "/var/log"; }
        { directory = "/var/log/journal"; }
        { directory = "/var/logs"; }
        { directory = "/home/a"; }
      ];
    });
    expected = [ "normal /n/var/logs a" ];
  };

  plan-asks-nobody-without-a-store = {
    actual = plan {
      stores = {
        transient = null;
        normal = null;
        important = null;
        secret = null;
      };
      requests.a = throw "asked";
    };
    expected = [ ];
  };

  plan-skips-levels-without-a-store-and-disabled-services = {
    actual = brief (plan {
      stores = twoStores;
      requests = {
        a = request "transient" [ { directory = "/cache"; } ];
        b = request "normal" [ { directory = "/state"; } ] // {
          enabled = false;
        };
      };
    });
    expected = [ ];
  };
}
