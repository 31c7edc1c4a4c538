# The paths that the user keeps by hand, through the back end's own options.
#
# Our own definitions (made in the file `ours`) go to the same option, so that reading its value
# would ask for itself. Its type merges the definitions of everyone else a second time instead.
{ lib }:
let
  inherit (lib)
    attrValues
    catAttrs
    concatLists
    concatMap
    filter
    filterAttrs
    mapAttrsToList
    ;

  byOthers =
    { option, ours }:
    (lib.mergeDefinitions option.loc option.type (
      filter (definition: definition.file != toString ours) option.definitionsWithLocations
    )).optionalValue.value or { };

  # { STORE = { directories; files; users; }; } -> [ { path; store; kind; } ]
  pathsIn =
    contents: stores:
    concatLists (
      mapAttrsToList (
        name: store:
        concatMap (contents (store.persistentStoragePath or name)) (
          [ store ] ++ attrValues store.users or { }
        )
      ) stores
    );

  place =
    store: kind: path: { inherit store kind path; };

  inImpermanence =
    store: one:
    map (place store "directory") (catAttrs "dirPath" one.directories)
    ++ map (place store "file") (catAttrs "filePath" one.files);

  # `_intermediate` directories are created, not kept.
  inPreservation =
    store: one:
    map (place store "directory") (
      catAttrs "directory" (filter (directory: directory.how != "_intermediate") one.directories)
    )
    ++ map (place store "file") (catAttrs "file" one.files);
in
rec {
  impermanencePaths = concatMap (
    store: catAttrs "dirPath" store.directories ++ catAttrs "filePath" store.files
  );

  # What the value of a back end's whole option keeps.
  pathsOfImpermanence =
    stores: pathsIn inImpermanence (filterAttrs (_: store: store.enable or true) stores);
  pathsOfPreservation = pathsIn inPreservation;

  impermanence = definitions: pathsOfImpermanence (byOthers definitions);
  preservation = definitions: pathsOfPreservation (byOthers definitions);
}
