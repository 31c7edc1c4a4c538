# The options that the release in use has removed as a whole, below which nothing can be declared:
#
#   removed arguments -> { "services.hydron" = true; ... }
#
# `arguments` are those of a module. What a module declares cannot depend on `options`, so that the
# file is read in which NixOS and home-manager list them.
arguments:
let
  inherit (builtins)
    concatMap
    concatStringsSep
    filter
    functionArgs
    isFunction
    listToAttrs
    map
    mapAttrs
    pathExists
    ;
  modulesPath = arguments.modulesPath or null;

  files =
    if modulesPath == null then
      [ ]
    else
      filter pathExists (
        map (name: "${modulesPath}/${name}") [
          "rename.nix"
          "deprecations.nix"
        ]
      );

  # In place of a module that removes an option, its name. What else a file asks for it is given
  # when it looks: a list of names has no need of it.
  given = arguments // {
    lib = arguments.lib // {
      mkRemovedOptionModule = names: _: { removed = concatStringsSep "." names; };
    };
  };
  argument = name: _: given.${name} or (throw "the argument `${name}' is not known yet");

  importsOf =
    file:
    let
      module = import file;
    in
    (if isFunction module then module (mapAttrs argument (functionArgs module)) else module).imports
      or [ ];
in
listToAttrs (
  map (one: {
    name = one.removed;
    value = true;
  }) (filter (one: one ? removed) (concatMap importsOf files))
)
