# Runs the cases of a file: prints nothing and gives their number, or says which failed and how.
cases:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    filter
    length
    toJSON
    ;
  names = attrNames cases;
  failed = filter (name: cases.${name}.actual != cases.${name}.expected) names;
  explain =
    name:
    "${name}\n    expected ${toJSON cases.${name}.expected}\n    got      ${toJSON cases.${name}.actual}";
in
if failed == [ ] then
  length names
else
  throw "${toString (length failed)} of ${toString (length names)} cases failed:\n  ${concatStringsSep "\n  " (map explain failed)}"
