# Catalogue entries as one module: declares OPTION.persistence of each, and asks for what it says
# when the program is enabled.
#
# One module for all of them: a module of its own for each of some six hundred costs every
# evaluation more than all that the modules do besides.
#
# entries: from catalogue.nix.
# key:   names the module, which is imported once.
# replaces: keys of modules that hold part of these entries and give way to this one.
# root:  where the levels are ([ "environment" "automaticPersistence" ]).
# base:  the module that does the rest.
# isPresent: for an entry, with the module's arguments, whether it is on though no option of `enable`
#        switches it on.
# home:  with the configuration, the home directory; null for services of the system.
# elsewhere: with the module's arguments and a path of the catalogue, other places where the program
#        may have it on this system.
# alsoEnabled: when else an entry with `enable` takes effect, in words.
# withoutEnable: when an entry without `enable` takes effect, in words.
{
  entries,
  key,
  replaces ? [ ],
  root,
  base,
  isPresent ? entry: _: entry.enable == [ ],
  home ? _: null,
  elsewhere ? _: _: [ ],
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
  inherit (builtins)
    elemAt
    getAttr
    groupBy
    head
    length
    listToAttrs
    mapAttrs
    ;
  inherit (import ../lib/in-use.nix { inherit lib options config; })
    hasWhatItRequires
    isSwitchedOn
    lookup
    renamed
    ;
  placeOf = (import ../lib/places.nix).placeOf {
    inherit root;
    removed = import ../lib/removed.nix args;
  };

  isEnabled = entry: (isSwitchedOn entry || isPresent entry args) && hasWhatItRequires entry;

  takesEffect =
    entry:
    if entry.enable == [ ] then
      withoutEnable
    else
      "Takes effect with ${
        lib.concatMapStringsSep " or " (name: "{option}`${name}`") entry.enable
      }${alsoEnabled}.";

  optionOf =
    entry:
    import ./option.nix {
      inherit lib entry lookup;
      renamed = renamed entry;
      inherit stateVersion;
      home = home config;
      elsewhere = elsewhereHere;
      description = ''
        What to keep of ${entry.title}, by level. A definition takes the place of the whole
        default; `{}` keeps nothing. ${takesEffect entry}
        ${lib.optionalString (entry.note != null) entry.note}
      '';
    };

  elsewhereHere = elsewhere args;
  stateVersion = (lookup "system.stateVersion").value;
  holds = import ../lib/holds-for.nix stateVersion;

  placed = map (entry: {
    inherit entry;
    place = placeOf entry ++ [ "persistence" ];
  }) entries;

  # The tree of options, built as it stands: no set is merged with another.
  nest =
    depth: found:
    mapAttrs (
      _: below:
      if length (head below).place == depth + 1 then
        optionOf (head below).entry
      else
        nest (depth + 1) below
    ) (groupBy (one: elemAt one.place depth) found);

  at = place: set: builtins.foldl' (value: name: getAttr name value) set place;

  # A default is right by itself: it does not have to go through the option's type, which costs
  # more than all the rest of an entry. What stands below a name that was renamed since is no
  # option of its own: nobody can define it.
  levelsOf =
    { entry, place }:
    let
      option = lib.attrByPath place (optionOf entry // { isRenamed = true; }) options;
      isUntouched =
        option.highestPrio == (lib.mkOptionDefault null).priority
        && length option.definitionsWithLocations == 1;
    in
    if option.isRenamed or false || isUntouched then option.default else at place config;

  request =
    one@{ entry, ... }:
    {
      name = entry.id;
      value = {
        enabled = isEnabled entry;
        levels = levelsOf one;
        # What its option decides on, so that nobody else is asked about it. A place of another
        # state version is not among it: where a unit has it all the same, it is told.
        knows = map (record: record.path) (builtins.filter holds entry.persist);
      };
    };
in
{
  _file = if length entries == 1 then toString (head entries).file else toString ./entries.nix;
  inherit key;

  imports = [ base ];
  disabledModules = map (replaced: { key = replaced; }) replaces;

  options = nest 0 placed;

  config = lib.setAttrByPath (root ++ [ "requests" ]) (listToAttrs (map request placed));
}
