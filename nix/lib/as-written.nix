# The default of an entry for the documentation: the catalogue's own paths, whatever the options
# of a system say, and <name> for the name of any instance.
{ lib, entry }:
import ./defaults.nix {
  inherit entry;
  lookup = name: {
    exists = lib.elem name (lib.catAttrs "each" entry.instance);
    value."<name>" = { };
  };
}
