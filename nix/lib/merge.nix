# Fewer mounts: where several directories of one store lie in a directory that is named for it, that
# one is kept in their place. The store's layout is the same either way, so nothing moves.
#
#   merge { parents = [ ".cache" ]; mode = "0700"; } items -> items
#
# What is needed in the initrd stays a mount of its own, and so does what has another store.
{
  parents,
  mode ? null,
  isLeft ? _: false,
  fewest ? 5,
}:
items:
let
  inherit (builtins)
    any
    attrValues
    concatStringsSep
    elem
    filter
    foldl'
    groupBy
    head
    length
    listToAttrs
    map
    sort
    ;
  inherit (import ./paths.nix) covers normalise;
  levels = (import ./levels.nix).names;

  distinct = foldl' (found: one: if elem one found then found else found ++ [ one ]) [ ];

  highest = found: head (filter (level: any (item: item.level == level) found) (reverse levels));
  reverse = foldl' (found: one: [ one ] ++ found) [ ];

  isFree = item: item.within == null && !item.earlyBoot;
  canFold = item: isFree item && item.kind == "directory" && item.method == "auto";

  fold =
    items: parent:
    let
      below = filter (item: covers parent item.path) items;
      groups = sort (a: b: length a > length b) (
        attrValues (groupBy (item: item.store) (filter canFold below))
      );
      folded = head groups;
      inherit (head folded) store;
      isFolded = item: isFree item && item.store == store && covers parent item.path;

      one = {
        path = parent;
        kind = "directory";
        level = highest folded;
        inherit store mode;
        user = null;
        group = null;
        method = "auto";
        earlyBoot = false;
        source = concatStringsSep ", " (distinct (map (item: item.source) folded));
        within = null;
      };

      gone = listToAttrs (
        map (item: {
          name = item.path;
          value = true;
        }) folded
      );
      surrounded =
        item:
        if !(covers parent item.path) || item.store == store then
          item
        else if item.within == null || gone ? ${item.within.path} then
          item // { within = one; }
        else
          item;
    in
    if
      any (item: covers item.path parent) items
      || isLeft parent
      || groups == [ ]
      || length folded < fewest
    then
      items
    else
      map surrounded (filter (item: !(isFolded item)) items) ++ [ one ];
in
foldl' fold items (map normalise parents)
