# An item that lies in somebody's home belongs to whom the home belongs to, unless it has an owner
# whom the system knows: a service that is told to keep its data there usually runs as that person.
{ lib, config }:
let
  inherit (import ../lib/paths.nix) covers;
  inherit (config.users) users;

  personAt =
    path:
    lib.findFirst (user: user.isNormalUser or false && covers user.home path) null (
      lib.attrValues users
    );
in
item:
let
  person = personAt item.path;
in
if person == null || (item.user != null && users ? ${item.user}) then
  item
else
  item
  // {
    user = person.name;
    inherit (person) group;
  }
