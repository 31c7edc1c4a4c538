# What a catalogue entry keeps unless told otherwise, as a value for its persistence option.
#
#   defaults { entry; lookup; stateVersion; }
#     -> { normal.directories = [ { directory = "/var/lib/x"; user = "x"; mode = "0700"; } ]; }
#
# `lookup` is that of lookup.nix, or null to take every path as the catalogue writes it.
# `stateVersion` is system.stateVersion, or null where there is none.
# `renamed` maps the names of users and groups to those that the options of the service give.
# `home` is the home directory that all paths are relative to, or null for paths of the system.
# `elsewhere` gives the other places where this system may have a path of the catalogue.
{
  entry,
  lookup ? null,
  stateVersion ? null,
  home ? null,
  elsewhere ? _: [ ],
  renamed ? {
    user = { };
    group = { };
  },
}:
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    foldl'
    head
    isAttrs
    isList
    isPath
    isString
    listToAttrs
    match
    replaceStrings
    stringLength
    ;
  inherit (import ./paths.nix)
    covers
    hasPrefix
    isAbsolute
    isPrivate
    normalise
    privateName
    publicName
    removePrefix
    ;

  look =
    if lookup == null then
      _: {
        exists = false;
        value = null;
      }
    else
      lookup;

  holdsFor = import ./holds-for.nix stateVersion;

  # A pattern is for judging what was seen; it cannot be mounted.
  isLiteral = record: match ".*[*?].*" record.path == null;

  # The path as it is written in options: absolute, or relative to the home directory. Null
  # where it is neither (a path with "$HOME" in it, or outside of the home directory).
  local =
    path:
    let
      below = if home == null then path else removePrefix "${home}/" path;
    in
    if isAbsolute below == (home == null) && match ".*[$~].*" below == null then below else null;

  # Where a record is to be found: the places that the option names, the catalogue's path where
  # there is no such option or it is null. An option that lists several (services.openssh.hostKeys) has each.
  targetsOf =
    record:
    let
      found = look record.follows;
      values = if isList found.value then map (one: one.path or one) found.value else [ found.value ];
    in
    if !(record ? follows) then
      carried record ++ elsewhere record.path
    else if !found.exists || found.value == null then
      if lookup != null && !found.exists && record ? before-follows then
        [ record.before-follows ]
      else
        carried record
    else
      filter (target: target != null) (map (followed record (isList found.value)) values);

  # What lies in a directory that an option has moved is there too.
  carried =
    record:
    let
      outer = filter (
        one: one ? follows && one.path != record.path && covers one.path record.path
      ) records;
      nearest = foldl' (
        found: one: if stringLength one.path > stringLength found.path then one else found
      ) (head outer) outer;
    in
    if outer == [ ] then
      [ record.path ]
    else
      map (target: target + removePrefix nearest.path record.path) (targetsOf nearest);

  # The option's value where it points elsewhere, the catalogue's path where it only names the
  # same place more closely (postgresql's dataDir is /var/lib/postgresql/MAJOR, and the parent
  # is what survives an upgrade), null where there is nothing to keep (it is in the Nix store).
  followed =
    record: isListed: value:
    let
      text = toString value;
      prefix = if isAbsolute text then "" else record.follows-prefix or "";
      written = "${prefix}${text}${record.follows-suffix or ""}";
      target = local (normalise written);
    in
    if !(isString value || isPath value) || target == null then
      record.path
    else if !isListed && covers (publicName record.path) (publicName target) then
      record.path
    else if hasPrefix "${builtins.storeDir}/" target then
      null
    else if isPrivate record.path then
      privateName target
    else
      target;

  modeOf = record: path: record.mode or (if isPrivate path then "0700" else null);

  nameOf =
    kind: record:
    let
      name = record.${kind} or null;
    in
    if name == null then null else renamed.${kind}.${name} or name;

  methods = {
    rename = "copy";
    link = "symlink";
    if-absent = "symlink";
  };

  present = names: attributes: filter (name: attributes.${name} or null != null) names;

  item =
    record: path:
    let
      kind = record.kind or "directory";
      all = {
        ${kind} = path;
        user = nameOf "user" record;
        group = nameOf "group" record;
        mode = modeOf record path;
        method = methods.${record.written or ""} or null;
        earlyBoot = if record.early-boot or false then true else null;
      };
    in
    listToAttrs (
      map (name: {
        inherit name;
        value = all.${name};
      }) (present (attrNames all) all)
    );

  # An empty name takes the "-" or "/" before it away: redis-<name> is redis for the nameless one.
  named =
    name: text:
    if name == "" then
      replaceStrings [ "-<name>" "/<name>" "<name>" ] [ "" "" "" ] text
    else
      replaceStrings [ "<name>" ] [ name ] text;

  forInstance =
    record: name:
    record
    // listToAttrs (
      map (key: {
        name = key;
        value = named name record.${key};
      }) (present [ "path" "user" "group" "follows" ] record)
    );

  isOn = instance: !(isAttrs instance) || instance.enable or true;

  instancesOf =
    record:
    let
      found = look record.each;
      instances = if found.exists && isAttrs found.value then found.value else { };
    in
    map (forInstance record) (filter (name: isOn instances.${name}) (attrNames instances));

  records = filter (record: holdsFor record && isLiteral record) (
    entry.persist ++ concatMap instancesOf entry.instance
  );

  placed = concatMap (record: map (target: record // { inherit target; }) (targetsOf record)) records;

  atLevel =
    level: kind:
    map (record: item record record.target) (
      filter (record: record.level == level && record.kind or "directory" == kind) placed
    );

  contents =
    level:
    let
      directories = atLevel level "directory";
      files = atLevel level "file";
    in
    (if directories == [ ] then { } else { inherit directories; })
    // (if files == [ ] then { } else { inherit files; });
in
listToAttrs (
  filter (pair: pair.value != { }) (
    map (level: {
      name = level;
      value = contents level;
    }) (import ./levels.nix).names
  )
)
