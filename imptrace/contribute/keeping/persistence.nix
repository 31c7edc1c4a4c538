# What a configuration keeps, as a flat list of "STORE USER KIND PATH" that JSON can hold.
#
# `wholes`: evaluated configurations. `file`: one module alone, with stand-ins for what is around it,
# in which `paths` are the attribute paths of the lists.
let
  inherit (builtins)
    attrNames
    concatLists
    concatMap
    foldl'
    functionArgs
    head
    isAttrs
    isFunction
    isList
    isString
    mapAttrs
    tail
    tryEval
    ;

  # Enough of the library for a module that only lists paths, where nixpkgs is not to be found.
  small = {
    mkIf = _: value: value;
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkForce = value: value;
    mkDefault = value: value;
    mkBefore = value: value;
    mkAfter = value: value;
    mkOverride = _: value: value;
    mkOrder = _: value: value;
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalAttrs = condition: value: if condition then value else { };
    optionalString = condition: value: if condition then value else "";
    inherit concatLists concatMap mapAttrs;
    inherit (builtins) attrValues genList filter elem;
    flatten = value: if isList value then concatMap small.flatten value else [ value ];
    unique = foldl' (found: each: if builtins.elem each found then found else found ++ [ each ]) [ ];
    singleton = value: [ value ];
    forEach = values: make: map make values;
    hasPrefix =
      start: text: builtins.substring 0 (builtins.stringLength start) text == start;
    mapAttrsToList = make: set: map (name: make name set.${name}) (attrNames set);
    filterAttrs =
      holds: set:
      builtins.listToAttrs (
        concatMap (name: if holds name set.${name} then [ { inherit name; value = set.${name}; } ] else [ ]) (
          attrNames set
        )
      );
    inherit (builtins) concatStringsSep hasAttr any all;
    pipe = foldl' (value: change: change value);
    genAttrs =
      names: make:
      builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
  };
  found = tryEval (import <nixpkgs/lib>);
  lib = if found.success then found.value else small;

  # With all that a function asks for; what has no stand-in is an empty set. One that names what it
  # is given may take no more than that.
  called =
    given: module:
    let
      named = functionArgs module;
      asked = mapAttrs (name: _: given.${name} or { }) named;
    in
    if isFunction module then
      called given (module (if named == { } || given ? "@" then asked // given else asked))
    else
      module;

  # The values that a definition comes to, through functions, conditions and merges.
  plain =
    given: definition:
    let
      value = called given definition;
    in
    if !(isAttrs value && value ? _type) then
      [ value ]
    else if value._type == "merge" then
      concatMap (plain given) value.contents
    else
      plain given (value.content or { });

  at =
    given: path: value:
    if path == [ ] then
      plain given value
    else
      concatMap (
        inner:
        if isList inner then
          # Some write a list of modules.
          concatMap (at given path) inner
        else if !isAttrs inner then
          [ ]
        else if head path == null then
          concatMap (name: at given (tail path) inner.${name}) (attrNames inner)
        else if inner ? ${head path} then
          at given (tail path) inner.${head path}
        else
          [ ]
      ) (plain given value);

  name =
    entry:
    if isString entry then
      entry
    else if isAttrs entry then
      toString (entry.directory or entry.file or entry.path or entry.dirPath or entry.filePath or "?")
    else
      toString entry;

  lists = value: concatMap (list: if isList list then map name list else [ ]) (plain { } value);

  ofBlock =
    block: concatMap (kind: map (path: "${kind} ${path}") (lists (block.${kind} or [ ]))) [ "directories" "files" ];

  ofStores =
    stores:
    concatMap (
      store:
      ofBlock stores.${store}
      ++ concatMap (user: ofBlock stores.${store}.users.${user}) (attrNames (stores.${store}.users or { }))
    ) (attrNames stores);

  ofWhole =
    config:
    ofStores (config.environment.persistence or { })
    ++ ofStores (config.home.persistence or { })
    ++ ofStores (config.preservation.preserveAt or { })
    ++ concatMap (user: ofStores (config.home-manager.users.${user}.home.persistence or { })) (
      attrNames (config.home-manager.users or { })
    );
in
{
  alone =
    file: standIns: paths:
    let
      given = standIns // {
        lib = (standIns.lib or { }) // lib;
      };
    in
    concatMap (
      entry:
      map (path: "${entry.kind} ${path}") (concatMap lists (at given entry.path (import file)))
    ) paths;

  flake =
    reference: host:
    let
      outputs = builtins.getFlake reference;
      hosts = outputs.nixosConfigurations or { };
      homes = outputs.homeConfigurations or { };
      chosen = if hosts ? ${host} then [ host ] else attrNames hosts;
    in
    concatMap (each: ofWhole hosts.${each}.config) chosen
    ++ concatMap (each: ofWhole homes.${each}.config) (attrNames homes);

  nixos = file: ofWhole (import <nixpkgs/nixos> { configuration = file; }).config;
}
