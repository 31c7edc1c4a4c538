# The options that the system and home directories have alike: the store of each level, what is asked
# for and kept, and which directories are kept whole.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (import ../lib/levels.nix) names fallback;
  internal = import ./internal.nix { inherit lib; };

  meaning = {
    transient = "caches, logs that nobody reads back, and all that its program makes again";
    normal = "settings and data that can be recovered, with tedium";
    important = "databases and user data, which cannot be recovered";
    secret = "keys, tokens and keyrings: important and confidential";
  };

  # A bare string would be taken for the file of a module by the submodule's type.
  store = types.coercedTo types.str (path: { inherit path; }) (types.submodule {
    options.path = mkOption {
      type = types.nullOr (types.strMatching "/.*" // { description = "absolute path"; });
      example = "/persistent";
      description = "Directory on persistent storage. `null` switches the level off.";
    };
  });

  fallbackText =
    level:
    if fallback ? ${level} then
      "Where it is left out, level ${fallback.${level}} decides."
    else
      "Where it is left out, the level is off.";
in
{
  # Attribute set of options, one per level. `cfg` is the configuration they end up in.
  options =
    cfg:
    lib.genAttrs names (
      level:
      mkOption {
        type = types.nullOr store;
        default = if fallback ? ${level} then cfg.${fallback.${level}} else null;
        defaultText =
          if fallback ? ${level} then
            lib.literalMD "that of level ${fallback.${level}}"
          else
            lib.literalExpression "null";
        example = {
          path = "/persistent";
        };
        description = ''
          Where level ${level} is kept: ${meaning.${level}}. ${fallbackText level}
          `null` switches the level off: nothing of it is kept.
        '';
      }
    );

  # What comes of them. `always` and `few` are the directories that are kept whole by default, and
  # with `fewMounts`; `isFew` says whether that is on.
  results =
    {
      always,
      few,
      isFew,
      description,
    }:
    let
      code = lib.concatMapStringsSep ", " (directory: "`${directory}`");
    in
    {
      requests = import ./requests.nix { inherit lib; };

      stores = internal "The stores in use.";

      merged = mkOption {
        type = types.listOf types.str;
        default = always ++ lib.optionals isFew few;
        defaultText = lib.literalMD ''
          ${code always}; with {option}`environment.automaticPersistence.fewMounts` also ${code few}
        '';
        example = always ++ few;
        description = ''
          Directories that are kept whole, in place of what is kept in them, where at least five
          directories of one store are: one mount instead of many. Whatever else is in them is then
          kept as well.
        '';
      };

      kept = mkOption {
        type = types.listOf types.raw;
        readOnly = true;
        inherit description;
      };
    };

  # { LEVEL = path or null; }
  stores = cfg: lib.genAttrs names (level: if cfg.${level} == null then null else cfg.${level}.path);
}
