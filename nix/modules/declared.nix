# The paths that the user keeps by hand, through the back end's own options.
#
# Our own definitions (made in the file `ours`) go to the same option, so that reading its value
# would ask for itself. Its type merges the definitions of everyone else a second time instead.
{ lib }:
let
  inherit (lib)
    attrValues
    catAttrs
    concatMap
    filter
    ;

  byOthers =
    { option, ours }:
    (lib.mergeDefinitions option.loc option.type (
      filter (definition: definition.file != toString ours) option.definitionsWithLocations
    )).mergedValue;

  withUsers = stores: stores ++ concatMap (store: attrValues store.users or { }) stores;

  impermanencePaths = concatMap (
    store: catAttrs "dirPath" store.directories ++ catAttrs "filePath" store.files
  );

  # `_intermediate` directories are created, not kept.
  preservationPaths = concatMap (
    store:
    catAttrs "directory" (filter (one: one.how != "_intermediate") store.directories)
    ++ catAttrs "file" store.files
  );
in
{
  inherit impermanencePaths;

  impermanence =
    definitions:
    impermanencePaths (withUsers (filter (store: store.enable) (attrValues (byOthers definitions))));

  preservation = definitions: preservationPaths (withUsers (attrValues (byOthers definitions)));
}
