# Reads NixOS options by their dotted name, where the nixpkgs release in use may not have them.
#
#   lookup { inherit options config; } "services.postgresql.dataDir"
#     -> { exists = true; value = "/var/lib/postgresql/16"; }
#
# An option that is not declared, was removed, or has no value counts as absent; one that was
# renamed is read where it is now, since its alias says at each reading that it is obsolete. Names
# that go on below an option (services.actual.settings.dataDir) are looked up in its value.
{ options, config }:
let
  inherit (builtins)
    head
    isAttrs
    isString
    match
    tail
    ;
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

  # lib.mkRenamedOptionModule describes what it declares so, and hides it.
  newNameOf =
    option:
    let
      description = option.description or null;
      parts =
        if option.visible or true == false && isString description then
          match "Alias of \\{option}`([^`]*)`\\." description
        else
          null;
    in
    if parts == null then null else splitOn "\\." (head parts);

  walk =
    declared: value: names:
    if declared._type or null == "option" then
      let
        newName = newNameOf declared;
      in
      if newName == null then ifReadable value names else walk options config (newName ++ names)
    else if names != [ ] && declared ? ${head names} then
      walk declared.${head names} value.${head names} (tail names)
    else
      absent;
in
name: walk options config (splitOn "\\." name)
