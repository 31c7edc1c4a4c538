# The cases that can be run with the checkouts at hand: { FILE = number of cases; }.
#
# Arguments as those of evaluate.nix; with nixpkgsLib left out only what needs no lib is run.
{
  nixpkgsLib ? null,
  impermanence ? null,
  preservation ? null,
  homeManager ? null,
}@checkouts:
let
  run = import ./run.nix;
  tools = import ./evaluate.nix checkouts;
  have = builtins.all (checkout: checkout != null);
  cases =
    needed: name:
    if have ([ nixpkgsLib ] ++ needed) then { ${name} = run (import (./. + "/${name}.nix") tools); } else { };
in
{
  pure = run (import ./pure.nix // import ./plan.nix // import ./merge.nix);
}
// cases [ impermanence ] "modules"
// cases [ impermanence ] "stores"
// cases [ impermanence ] "definitions"
// cases [ impermanence ] "example"
// cases [ impermanence ] "releases"
// cases [
  impermanence
  preservation
] "boundaries"
// cases [
  impermanence
  preservation
] "undeclared"
// cases [
  impermanence
  preservation
] "preservation"
// cases [
  impermanence
  preservation
  homeManager
] "home"
