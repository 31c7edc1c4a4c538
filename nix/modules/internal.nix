# An option by which our modules hand a value to one another. It is taken as it is: it has one
# definition, and a type would look at each of its parts.
{ lib }:
description:
lib.mkOption {
  type = lib.types.raw;
  internal = true;
  readOnly = true;
  inherit description;
}
