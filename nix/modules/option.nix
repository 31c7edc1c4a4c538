# The persistence option of one catalogue entry.
{
  lib,
  entry,
  lookup ? null,
  stateVersion ? null,
  home ? null,
  elsewhere ? _: [ ],
  renamed ? {
    user = { };
    group = { };
  },
  description,
}:
let
  inherit (lib) concatMap listToAttrs nameValuePair;
  absolute = home == null;

  default = import ../lib/defaults.nix {
    inherit
      entry
      lookup
      stateVersion
      home
      elsewhere
      renamed
      ;
  };

  # Path -> what the catalogue knows of it, wherever the option's defaults place it.
  known = listToAttrs (
    concatMap (
      level:
      map (one: nameValuePair one.directory one) level.directories or [ ]
      ++ map (one: nameValuePair one.file one) level.files or [ ]
    ) (lib.attrValues default)
  );
in
lib.mkOption {
  type = import ./types.nix { inherit lib known absolute; };
  inherit default description;
  defaultText = lib.literalExpression (
    lib.generators.toPretty { } (import ../lib/as-written.nix { inherit lib entry; })
  );
  example = {
    normal.directories = [ (if absolute then "/var/lib/example" else ".config/example") ];
  };
}
