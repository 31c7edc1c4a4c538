# The default of an entry for the documentation: the catalogue's own paths, whatever the options
# of a system say, and <name> for the name of any instance.
{ lib, entry }:
let
  isFollowed = name: lib.any (record: record.follows or null == name) entry.persist;
in
import ./defaults.nix {
  inherit entry;
  lookup = name: {
    exists = lib.elem name (lib.catAttrs "each" entry.instance) || isFollowed name;
    value = if isFollowed name then null else { "<name>" = { }; };
  };
}
