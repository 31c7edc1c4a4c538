# From what the options ask for to what is kept: one item per path, none covered by another.
#
#   plan { requests; stores; declared; }
#     -> [ { path = "/var/lib/x"; kind = "directory"; level; store; user; group; mode; method;
#            earlyBoot; source = "x"; within = null; } ]
#
# requests: { NAME = { enabled; levels; }; }, levels being the value of a persistence option, or
#           its default, which leaves out what it has nothing to say of.
# stores:   { LEVEL = path or null; }; what has no store is not kept.
# declared: paths that the user keeps by hand; they and all below them are left alone.
# isLeft:   whether a path is left alone for a reason of its own (boundaries.nix).
#
# `within` is the item of the nearest directory around it that is kept too, in another store.
{
  requests,
  stores,
  declared ? [ ],
  isLeft ? _: false,
}:
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    elemAt
    filter
    foldl'
    groupBy
    length
    mapAttrs
    ;
  inherit (import ./paths.nix)
    ancestorsOf
    isWithin
    normalise
    setOf
    ;
  levels = (import ./levels.nix).names;

  item =
    source: level: kind: asked:
    {
      inherit source level kind;
      path = normalise asked.${kind};
      user = asked.user or null;
      group = asked.group or null;
      mode = asked.mode or null;
      earlyBoot = asked.earlyBoot or false;
      method = asked.method or "auto";
      store = normalise stores.${level};
    };

  itemsAtLevel =
    source: asked: level:
    map (item source level "directory") asked.${level}.directories or [ ]
    ++ map (item source level "file") asked.${level}.files or [ ];

  # Lowest level first, so that the last of several items for one path has the highest level.
  # Without any store nobody is asked, not even whether a program is installed.
  asked = concatMap (
    level: concatMap (source: itemsAtLevel source requests.${source}.levels level) enabled
  ) (filter (level: stores.${level} != null) levels);

  enabled = filter (source: requests.${source}.enabled) (attrNames requests);

  declaredSet = setOf declared;

  # Owner and mode that only one of several items for a path knows are not lost.
  merge =
    items:
    let
      highest = elemAt items (length items - 1);
      firstKnown =
        attribute: foldl' (found: one: if found == null then one.${attribute} else found) null;
      known =
        attribute:
        if highest.${attribute} != null then highest.${attribute} else firstKnown attribute items;
    in
    highest
    // {
      user = known "user";
      group = known "group";
      mode = known "mode";
    };

  isWanted = one: !(isWithin declaredSet one.path || isLeft one.path);
  byPath = mapAttrs (_: merge) (groupBy (one: one.path) (filter isWanted asked));

  # The nearest kept directory around an item, or null.
  around =
    one:
    let
      directories = filter (above: byPath ? ${above} && byPath.${above}.kind == "directory") (
        ancestorsOf one.path
      );
    in
    if directories == [ ] then null else byPath.${elemAt directories (length directories - 1)};

  withContainer =
    one:
    let
      container = around one;
    in
    one // { within = container; };

  isCovered = one: one.within != null && one.within.store == one.store;
in
filter (one: !(isCovered one)) (map withContainer (attrValues byPath))
