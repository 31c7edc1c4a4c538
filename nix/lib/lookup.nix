# Reads NixOS options by their dotted name, where the nixpkgs release in use may not have them.
#
#   lookup { inherit options config; } "services.postgresql.dataDir"
#     -> { exists = true; value = "/var/lib/postgresql/16"; }
#
# An option that is not declared, was removed, or has no value counts as absent; one that was
# renamed is read through its alias. Names that go on below an option
# (services.actual.settings.dataDir) are looked up in its value.
{ options, config }:
let
  inherit (builtins) head isAttrs tail;
  inherit (import ./paths.nix) splitOn;

  absent = {
    exists = false;
    value = null;
  };

  inValue =
    value: names:
    if names == [ ] then
      {
        exists = true;
        inherit value;
      }
    else if isAttrs value && value ? ${head names} then
      inValue value.${head names} (tail names)
    else
      absent;

  # Removed options and options without a value throw when they are read. What the user's own
  # configuration throws is caught here too, and met again where NixOS reads the same option.
  ifReadable =
    value: names:
    let
      attempt = builtins.tryEval value;
    in
    if attempt.success then inValue attempt.value names else absent;

  walk =
    declared: value: names:
    if declared._type or null == "option" then
      ifReadable value names
    else if names != [ ] && declared ? ${head names} then
      walk declared.${head names} value.${head names} (tail names)
    else
      absent;
in
name: walk options config (splitOn "\\." name)
