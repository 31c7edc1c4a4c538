# One catalogue entry as a module: declares OPTION.persistence, and asks for what it says when
# the program is enabled.
#
# entry: from catalogue.nix.
# root:  where the levels are ([ "environment" "automaticPersistence" ]).
# base:  the module that does the rest.
# isPresent: with the module's arguments, whether an entry is on that no option of `enable` switches
#        on.
# home:  with the configuration, the home directory; null for services of the system.
# alsoEnabled: when else an entry with `enable` takes effect, in words.
# withoutEnable: when an entry without `enable` takes effect, in words.
{
  entry,
  root,
  base,
  isPresent ? _: entry.enable == [ ],
  home ? _: null,
  withoutEnable ? "Always in effect.",
  alsoEnabled ? "",
}:
{
  config,
  lib,
  options,
  ...
}@args:
let
  lookup = import ../lib/lookup.nix { inherit options config; };
  inherit (import ../lib/places.nix) placeOf;

  place = placeOf root entry ++ [ "persistence" ];

  isOn =
    value:
    if builtins.isAttrs value then
      value != { }
    else if builtins.isList value then
      value != [ ]
    else
      value == true;
  isSet =
    name:
    let
      found = lookup name;
    in
    found.exists && isOn found.value;

  # Of a release that does not have the option nothing is required.
  isFulfilled = name: !(lookup name).exists || isSet name;

  isEnabled =
    (lib.any isSet entry.enable || isPresent args) && lib.all isFulfilled entry.requires or [ ];

  # Who a service is told to run as: { syncthing = "alice"; } where services.syncthing.user has
  # another value than its default. A service that only root runs has no such option.
  renamed = lib.genAttrs [ "user" "group" ] (
    kind:
    let
      name = entry.option ++ [ kind ];
      default = (lib.attrByPath name { } options).default or null;
      found = lookup (lib.concatStringsSep "." name);
    in
    lib.optionalAttrs (
      entry.option != null && lib.isString default && found.exists && lib.isString found.value
    ) { ${default} = found.value; }
  );

  takesEffect =
    if entry.enable == [ ] then
      withoutEnable
    else
      "Takes effect with ${
        lib.concatMapStringsSep " or " (name: "{option}`${name}`") entry.enable
      }${alsoEnabled}.";
in
{
  _file = toString entry.file;
  key = "imptrace/${toString entry.file}";

  imports = [ base ];

  options = lib.setAttrByPath place (
    import ./option.nix {
      inherit
        lib
        entry
        lookup
        renamed
        ;
      stateVersion = (lookup "system.stateVersion").value;
      home = home config;
      description = ''
        What to keep of ${entry.title}, by level. A definition takes the place of the whole
        default; `{}` keeps nothing. ${takesEffect}
        ${lib.optionalString (entry.note != null) entry.note}
      '';
    }
  );

  config = lib.setAttrByPath (root ++ [ "requests" entry.id ]) {
    enabled = isEnabled;
    levels = lib.getAttrFromPath place config;
    # What its option decides on, so that nobody else is asked about it.
    knows = map (record: record.path) entry.persist;
  };
}
