# What a configuration itself declares to leave on disk: directories of units, directories that
# systemd-tmpfiles makes, homes of system users.
#
#   claims { lib; services; rules; settings; users; }
#     -> [ { path = "/var/lib/x"; kind = "state"; user; group; mode; dynamic; declaredBy; } ]
#
# services, rules, settings and users are the values of systemd.services, systemd.tmpfiles.rules,
# systemd.tmpfiles.settings and users.users. `kind` is state, cache, logs or home. Owner and mode
# are null where nothing is said of them, or where systemd itself decides (`dynamic`).
{
  lib,
  services,
  rules,
  settings,
  users,
}:
let
  inherit (lib)
    concatLists
    concatMap
    filter
    hasInfix
    head
    mapAttrsToList
    optional
    splitString
    ;
  paths = import ./paths.nix;

  # A unit that cannot be read is met again where NixOS writes it.
  try =
    default: value:
    let
      attempt = builtins.tryEval value;
    in
    if attempt.success then attempt.value else default;

  words =
    value:
    if value == null then
      [ ]
    else if builtins.isList value then
      concatMap words value
    else
      filter (word: word != "") (splitString " " (toString value));

  isTrue =
    value:
    lib.elem value [
      true
      "yes"
      "true"
      "1"
      "on"
    ];

  ofUnits = {
    StateDirectory = {
      kind = "state";
      top = "/var/lib";
    };
    CacheDirectory = {
      kind = "cache";
      top = "/var/cache";
    };
    LogsDirectory = {
      kind = "logs";
      top = "/var/log";
    };
  };

  # An instance has what its template says: tmpl@one that of tmpl@.
  templateOf =
    name:
    let
      parts = builtins.match "([^@]+@).+" name;
    in
    if parts == null then { } else try { } (services.${head parts}.serviceConfig or { });

  # With the specifiers that are known from a unit's name alone; systemd.unit(5).
  withSpecifiers =
    name: text:
    let
      parts = builtins.match "([^@]+)@(.*)" name;
      instance = if parts == null then "" else lib.elemAt parts 1;
      isPlain = !(hasInfix "-" instance || hasInfix "\\" instance);
      specifiers = {
        "%N" = name;
        "%n" = "${name}.service";
        "%p" = if parts == null then name else head parts;
      }
      // lib.optionalAttrs (instance != "") (
        { "%i" = instance; } // lib.optionalAttrs isPlain { "%I" = instance; }
      );
    in
    lib.replaceStrings (lib.attrNames specifiers) (lib.attrValues specifiers) text;

  ofService =
    name: service:
    let
      template = templateOf name;
      settingOf = key: try null (service.serviceConfig.${key} or template.${key} or null);
      dynamic = isTrue (settingOf "DynamicUser");
      textOf = key: lib.mapNullable toString (settingOf key);
      claim =
        key:
        { kind, top }:
        word: {
          # systemd's "NAME:LINK" has the directory before the colon.
          path = paths.normalise "${top}${lib.optionalString dynamic "/private"}/${head (splitString ":" word)}";
          inherit kind dynamic;
          user = if dynamic then null else textOf "User";
          group = if dynamic then null else textOf "Group";
          mode = if dynamic then "0700" else textOf "${key}Mode";
          declaredBy = "systemd.services.${name}.serviceConfig.${key}";
        };
      # Another specifier is only known when the unit starts, and so is the instance of a template.
      # One that leads upwards is refused by systemd, as in a rule.
      literal =
        key: filter (word: !(hasInfix "%" word || hasInfix ".." word)) (map (withSpecifiers name) (words (settingOf key)));
    in
    concatLists (mapAttrsToList (key: place: map (claim key place) (literal key)) ofUnits);

  # Made at every boot and empty ever after, or only above what has names of its own.
  hollow = paths.privateParents ++ [
    "/etc/ipsec.d"
    "/var/lib/NetworkManager-fortisslvpn"
    "/var/lib/misc"
    "/var/spool/cron"
  ];

  enabled = lib.filterAttrs (_: service: try true (service.enable or true)) services;

  lasting =
    path:
    !(hasInfix "/../" path)
    && builtins.match "/(var/(lib|cache|log|db|spool|www|mail)|srv|etc)/[^%]+" path != null;
  # Those of type D are emptied at every boot, so that nothing in them is to last.
  isDirectory = type: builtins.match "[dvqQ].*" type != null;

  kindOf =
    path:
    if paths.covers "/var/cache" path then
      "cache"
    else if paths.covers "/var/log" path then
      "logs"
    else
      "state";

  ofTmpfiles =
    declaredBy: type: path: rule:
    optional (isDirectory type && lasting path) {
      path = paths.normalise path;
      kind = kindOf path;
      dynamic = false;
      inherit declaredBy;
      user = given rule.user;
      group = given rule.group;
      mode = lib.mapNullable (lib.removePrefix "~") (given rule.mode);
    };

  given = value: if value == null || value == "-" || value == "" then null else toString value;

  # A field may be in quotes, and then hold blanks.
  fieldsOf =
    rule:
    map (lib.findFirst (field: field != null) "") (
      filter builtins.isList (builtins.split "\"([^\"]*)\"|'([^']*)'|([^[:space:]]+)" rule)
    );
  ofRule =
    rule:
    let
      fields = fieldsOf rule;
      at = index: if lib.length fields > index then lib.elemAt fields index else null;
    in
    lib.optionals (at 1 != null) (
      ofTmpfiles "systemd.tmpfiles.rules" (at 0) (at 1) {
        mode = at 2;
        user = at 3;
        group = at 4;
      }
    );

  ofSettings = concatLists (
    mapAttrsToList (
      file: byPath:
      concatLists (
        mapAttrsToList (
          path: byType: concatLists (mapAttrsToList (type: ofTmpfiles "systemd.tmpfiles.settings.${file}" type path) byType)
        ) byPath
      )
    ) settings
  );

  # A home is made wherever it is said to be.
  isHome =
    path: builtins.match "/[^/]+/.+" path != null && !lib.any (top: paths.covers top path) volatile;
  volatile = [
    "/dev"
    "/nix"
    "/proc"
    "/run"
    "/sys"
    "/tmp"
    "/var/empty"
    "/var/run"
    "/var/tmp"
  ];

  ofUser =
    name: user:
    optional (!(user.isNormalUser or false) && user.createHome or false && isHome user.home) {
      path = paths.normalise user.home;
      kind = "home";
      dynamic = false;
      user = user.name;
      inherit (user) group;
      mode = user.homeMode;
      declaredBy = "users.users.${name}.home";
    };
in
filter (claim: !(lib.elem claim.path hollow)) (
  concatLists (mapAttrsToList ofService enabled)
  ++ concatMap ofRule rules
  ++ ofSettings
  ++ concatLists (mapAttrsToList ofUser users)
)
