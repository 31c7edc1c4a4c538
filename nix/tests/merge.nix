# Cases for lib/merge.nix, which need nothing but builtins.
let
  inherit (import ../.) lib;
  inherit (builtins)
    attrValues
    foldl'
    genList
    head
    length
    listToAttrs
    map
    sort
    ;

  merge = import ../lib/merge.nix;

  item = store: path: {
    inherit path store;
    kind = "directory";
    level = "normal";
    user = null;
    group = null;
    mode = null;
    method = "auto";
    earlyBoot = false;
    source = "x";
    within = null;
  };
  inCache = map (item "/s") (genList (number: ".cache/${toString number}") 5);

  brief = map (one: {
    inherit (one) path store;
    within = one.within.path or null;
  });

  # What the entries that most people keep come to: 60 programs, 40 services, one store.
  countOf =
    entry: foldl' (most: record: if record.repos or 0 > most then record.repos else most) 0 entry.persist;
  mostKept =
    number: entries:
    let
      sorted = sort (a: b: countOf a > countOf b) (attrValues entries);
    in
    genList (builtins.elemAt sorted) number;

  bare = {
    user = null;
    group = null;
    mode = null;
    method = "auto";
    earlyBoot = false;
  };
  filled = levels: {
    directories = map (one: bare // one) (levels.directories or [ ]);
    files = map (one: bare // one) (levels.files or [ ]);
  };

  planOf =
    entries:
    lib.plan {
      stores = listToAttrs (
        map (level: {
          name = level;
          value = "/s";
        }) [ "transient" "normal" "important" "secret" ]
      );
      requests = listToAttrs (
        map (entry: {
          name = entry.id;
          value = {
            enabled = true;
            levels = builtins.mapAttrs (_: filled) (
              { transient = { }; normal = { }; important = { }; secret = { }; } // lib.defaults { inherit entry; }
            );
          };
        }) entries
      );
    };
  mounts = items: length (builtins.filter (one: one.method != "copy") items);

  home = planOf (mostKept 60 lib.programs);
  system = planOf (mostKept 40 lib.services);
in
{
  merge-needs-five-of-one-store = {
    actual = brief (merge { parents = [ ".cache" ]; } (builtins.tail inCache));
    expected = brief (builtins.tail inCache);
  };

  merge-keeps-what-is-around-in-place-of-what-is-in-it = {
    actual = brief (merge { parents = [ ".cache/" ]; } (inCache ++ [ (item "/s" ".config/x") ]));
    expected = [
      {
        path = ".config/x";
        store = "/s";
        within = null;
      }
      {
        path = ".cache";
        store = "/s";
        within = null;
      }
    ];
  };

  merge-leaves-what-has-another-store-and-what-is-needed-early = {
    actual = brief (
      merge { parents = [ ".cache" ]; } (
        inCache
        ++ [
          (item "/t" ".cache/t")
          (item "/t" ".cache/0/secret" // { within = head inCache; })
          (item "/s" ".cache/early" // { earlyBoot = true; })
        ]
      )
    );
    expected = [
      {
        path = ".cache/t";
        store = "/t";
        within = ".cache";
      }
      {
        path = ".cache/0/secret";
        store = "/t";
        within = ".cache";
      }
      {
        path = ".cache/early";
        store = "/s";
        within = null;
      }
      {
        path = ".cache";
        store = "/s";
        within = null;
      }
    ];
  };

  merge-does-nothing-where-that-must-be-left-alone = {
    actual = length (
      merge {
        parents = [ ".cache" ];
        isLeft = path: path == ".cache";
      } inCache
    );
    expected = 5;
  };

  merge-brings-a-desktop-of-sixty-programs-and-forty-services-to-sixty-mounts = {
    actual =
      let
        total =
          mounts (
            merge {
              parents = [
                ".cache"
                ".config"
                ".local/share"
                ".local/state"
              ];
            } home
          )
          + mounts (
            merge {
              parents = [
                "/var/cache"
                "/var/log"
                "/var/lib"
              ];
            } system
          );
      in
      if total <= 60 then "at most 60" else total;
    expected = "at most 60";
  };

  merge-by-default = {
    actual = {
      before = mounts home + mounts system > 150;
      after =
        mounts (merge { parents = [ ".cache" ]; } home) + mounts (merge { parents = [ "/var/cache" ]; } system)
        < mounts home + mounts system - 25;
    };
    expected = {
      before = true;
      after = true;
    };
  };
}
