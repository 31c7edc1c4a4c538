# The place of a kept directory on this system, from what its unit declares: a service that has
# DynamicUser keeps its state below private, and one that has not does not, whatever the catalogue
# knows of another release.
#
#   relocate claims item -> item
claims:
let
  inherit (builtins)
    filter
    head
    listToAttrs
    map
    ;
  inherit (import ./paths.nix) ancestorsOf isPrivate publicName;

  byPublicName = listToAttrs (
    map (claim: {
      name = publicName claim.path;
      value = claim;
    }) (filter (claim: claim ? dynamic && claim.kind != "home") claims)
  );

  claimOf =
    path:
    let
      public = publicName path;
      found = filter (above: byPublicName ? ${above}) ([ public ] ++ ancestorsOf public);
    in
    if found == [ ] then null else byPublicName.${head found};

  isBelowPrivate = path: publicName path != path;

  relocate =
    item:
    let
      claim = claimOf item.path;
      isItself = publicName item.path == publicName claim.path;
      within = if item.within == null then null else relocate item.within;
    in
    if claim == null || item.kind != "directory" || claim.dynamic == isBelowPrivate item.path then
      item // { inherit within; }
    else if claim.dynamic then
      item
      // {
        inherit within;
        path = (import ./paths.nix).privateName item.path;
        user = null;
        group = null;
        mode = if isItself then "0700" else item.mode;
      }
    else
      item
      // {
        inherit within;
        path = publicName item.path;
        user = claim.user;
        group = claim.group;
        mode = if isPrivate item.path then claim.mode else item.mode;
      };
in
relocate
