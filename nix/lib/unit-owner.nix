# Whose a kept directory is where its owner of the catalogue does not exist on this system, which has
# the service under the name of another release: his whose the unit or the rule that makes it says.
#
#   unitOwner { claims; users; } item -> item
{ claims, users }:
let
  inherit (builtins) filter listToAttrs map;

  byPath = listToAttrs (
    map (claim: {
      name = claim.path;
      value = claim;
    }) (filter (claim: claim.user or null != null && users ? ${claim.user}) claims)
  );
in
item:
if item.user == null || users ? ${item.user} || !(byPath ? ${item.path}) then
  item
else
  item
  // {
    inherit (byPath.${item.path}) user group;
  }
