# Questions about paths, as strings. Only builtins: nix/check runs these without nixpkgs.
let
  inherit (builtins)
    concatMap
    concatStringsSep
    elem
    filter
    isString
    listToAttrs
    match
    replaceStrings
    split
    stringLength
    substring
    ;
in
rec {
  hasPrefix = prefix: string: substring 0 (stringLength prefix) string == prefix;

  # The string without the prefix; unchanged where it does not begin with it.
  removePrefix =
    prefix: string:
    if hasPrefix prefix string then
      substring (stringLength prefix) (stringLength string) string
    else
      string;

  splitOn = separator: string: filter isString (split separator string);

  # "/a//b/" -> [ "a" "b" ]
  componentsOf = path: filter (component: component != "") (splitOn "/" path);

  isAbsolute = hasPrefix "/";

  # One spelling per path, so that equal paths are equal strings: no doubled or trailing slash.
  # Nearly all come in it already, and asking is cheaper than taking them apart.
  normalise =
    path:
    if isNormal path then
      path
    else
      (if isAbsolute path then "/" else "") + concatStringsSep "/" (componentsOf path);

  isNormal =
    path:
    path == ""
    || path == "/"
    || (
      substring (stringLength path - 1) 1 path != "/" && replaceStrings [ "//" ] [ "/" ] path == path
    );

  join = parent: child: normalise "${parent}/${child}";

  # "/a/b/c" -> [ "/a" "/a/b" ], "a/b/c" -> [ "a" "a/b" ]: top first, "/" itself left out.
  ancestorsOf =
    path:
    let
      parent = dirOf (normalise path);
    in
    if parent == "/" || parent == "." then [ ] else ancestorsOf parent ++ [ parent ];

  # True for the path itself and for what lies below it.
  covers =
    parent: path:
    let
      above = normalise parent;
      below = normalise path;
    in
    above == below || hasPrefix (if above == "/" then above else "${above}/") below;

  # Many paths at once: a set of them, and whether one of them covers a path.
  setOf =
    paths:
    listToAttrs (
      map (path: {
        name = normalise path;
        value = path;
      }) paths
    );
  isWithin = set: path: nearest set path != null;

  # The member of the set that covers a path, the one next to it; null where there is none.
  nearest =
    set: path:
    if set ? ${path} then
      set.${path}
    else
      let
        parent = dirOf path;
      in
      if parent == path || parent == "." then null else nearest set parent;

  # What lies at or below any path, by that path: { PATH = one of the paths that it covers; }.
  coveredBy =
    paths:
    listToAttrs (
      concatMap (
        path:
        map (above: {
          name = above;
          value = path;
        }) (ancestorsOf path ++ [ path ])
      ) (map normalise paths)
    );

  # systemd puts the directories of a DynamicUser service below these and links
  # /var/lib/NAME to them (systemd.exec(5), DynamicUser=). It refuses to start the service
  # where they can be read by others.
  privateParents = [
    "/var/lib/private"
    "/var/cache/private"
    "/var/log/private"
  ];

  isPrivate = path: elem (dirOf (normalise path)) privateParents;

  # "/var/lib/private/x" -> "/var/lib/x"; any other path stays as it is.
  publicName =
    path:
    let
      parts = match "(/var/(lib|cache|log))/private/(.+)" path;
    in
    if parts == null then path else "${builtins.elemAt parts 0}/${builtins.elemAt parts 2}";

  # "/var/lib/x" -> "/var/lib/private/x"; any other path stays as it is.
  privateName =
    path:
    let
      parts = match "(/var/(lib|cache|log))/(.+)" (publicName path);
    in
    if parts == null then path else "${builtins.elemAt parts 0}/private/${builtins.elemAt parts 2}";
}
