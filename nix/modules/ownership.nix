# Owner, group and mode of an item, as far as they are known and can be set on this system.
#
# An owner that the system does not have (a service told to run as someone else) is left to the
# back end's default: both back ends fail on names that they cannot resolve.
{ lib, users }:
item:
let
  owner = if item.user != null && users ? ${item.user} then item.user else null;
  group =
    if item.group != null then
      item.group
    else if owner != null then
      users.${owner}.group
    else
      null;
in
lib.filterAttrs (_: value: value != null) {
  user = owner;
  group = if item.user != null && owner == null then null else group;
  inherit (item) mode;
}
