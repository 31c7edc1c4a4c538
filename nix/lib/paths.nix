# Questions about paths, as strings. Only builtins: nix/check runs these without nixpkgs.
let
  inherit (builtins)
    concatStringsSep
    elem
    filter
    genList
    isString
    length
    match
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
  normalise = path: (if isAbsolute path then "/" else "") + concatStringsSep "/" (componentsOf path);

  join = parent: child: normalise "${parent}/${child}";

  # "/a/b/c" -> [ "/a" "/a/b" ], "a/b/c" -> [ "a" "a/b" ]: top first, "/" itself left out.
  ancestorsOf =
    path:
    let
      components = componentsOf path;
      leading = if isAbsolute path then "/" else "";
      upTo = depth: concatStringsSep "/" (genList (builtins.elemAt components) (depth + 1));
    in
    genList (depth: leading + upTo depth) (if components == [ ] then 0 else length components - 1);

  # True for the path itself and for what lies below it.
  covers =
    parent: path:
    let
      above = normalise parent;
      below = normalise path;
    in
    above == below || elem above (ancestorsOf below) || (above == "/" && isAbsolute below);

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
