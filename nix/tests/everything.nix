# A module that switches every service of the catalogue on.
{ lib, imptrace, ... }:
let
  entries = lib.attrValues imptrace.lib.services;
  instanceSets = lib.concatMap (entry: lib.catAttrs "each" entry.instance) entries;

  switchOn =
    name:
    lib.setAttrByPath (lib.splitString "." name) (
      if lib.elem name instanceSets then { main = { }; } else true
    );
in
lib.foldl' lib.recursiveUpdate { } (map switchOn (lib.concatMap (entry: entry.enable) entries))
