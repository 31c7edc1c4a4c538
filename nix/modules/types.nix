# The type of every persistence option: levels, each with directories and files.
#
# `known` maps a path to the attributes that the catalogue has for it, so that a path written as
# a plain string still gets its right owner and mode. `absolute` is false for home directories.
{
  lib,
  known ? { },
  absolute ? true,
}:
let
  inherit (lib) mkOption types;

  pathType =
    if absolute then
      types.strMatching "/([^/].*)?"
      // {
        description = "absolute path";
      }
    else
      types.strMatching "[^/].*"
      // {
        description = "path relative to the home directory";
      };

  octalMode = types.strMatching "[0-7]{3,4}" // {
    description = "octal file mode";
  };

  examples =
    if absolute then
      {
        directory = "/var/lib/colord";
        file = "/etc/adjtime";
      }
    else
      {
        directory = ".config/obs-studio";
        file = ".config/monitors.xml";
      };

  # `kind` is "directory" or "file", and also the name of the attribute that holds the path.
  pathModule =
    kind:
    { config, ... }:
    let
      fromCatalogue = attribute: known.${config.${kind}}.${attribute} or null;
    in
    {
      options = {
        ${kind} = mkOption {
          type = pathType;
          example = examples.${kind};
          description = "Path of the ${kind} to keep${
            if absolute then "" else ", relative to the home directory"
          }.";
        };
        user = mkOption {
          type = types.nullOr types.str;
          default = fromCatalogue "user";
          defaultText = lib.literalMD "what the catalogue has for this path, otherwise `null`";
          example = "colord";
          description = "Owner of the ${kind}. With `null` the back end's default holds: ${
            if absolute then "root" else "the user whose home directory it is in"
          }.";
        };
        group = mkOption {
          type = types.nullOr types.str;
          default = fromCatalogue "group";
          defaultText = lib.literalMD "what the catalogue has for this path, otherwise `null`";
          example = "colord";
          description = "Group of the ${kind}. With `null` the back end's default holds.";
        };
        mode = mkOption {
          type = types.nullOr octalMode;
          default = fromCatalogue "mode";
          defaultText = lib.literalMD "what the catalogue has for this path, otherwise `null`";
          example = "0750";
          description = ''
            Access mode of the ${kind}. ${
              if kind == "file" then
                "impermanence leaves it to the program that writes the file"
              else
                "impermanence applies it when it creates the directory"
            }; preservation applies it at every boot. With `null` the back end's default holds.
          '';
        };
        earlyBoot = mkOption {
          type = types.bool;
          default = fromCatalogue "earlyBoot" == true;
          defaultText = lib.literalMD "what the catalogue has for this path, otherwise `false`";
          description = ''
            Whether the ${kind} must be there in the initrd already, before any service starts.
            Only preservation needs to be told; impermanence finds out by itself.
          '';
        };
      };
    };

  fileMethod =
    { config, ... }:
    {
      options.method = mkOption {
        type = types.enum [
          "auto"
          "symlink"
          "copy"
        ];
        default =
          let
            fromCatalogue = known.${config.file}.method or null;
          in
          if fromCatalogue == null then "auto" else fromCatalogue;
        defaultText = lib.literalMD "what the catalogue has for this path, otherwise `\"auto\"`";
        description = ''
          How the file gets to its place. `auto` bind mounts it (impermanence uses a symbolic
          link while the file does not exist yet). `symlink` places a symbolic link into the
          store, without creating its target: for files that are only created where they are
          absent. `copy` copies the file from the store at boot, and back after every change:
          for files that their program replaces by rename, which neither a bind mount nor a
          symbolic link survives.
        '';
      };
    };

  listOfPaths =
    kind: modules:
    types.listOf (types.coercedTo types.str (path: { ${kind} = path; }) (types.submodule modules));
in
types.submodule {
  options = lib.genAttrs (import ../lib/levels.nix).names (
    level:
    mkOption {
      default = { };
      description = "What to keep at level ${level}.";
      type = types.submodule {
        options = {
          directories = mkOption {
            type = listOfPaths "directory" [ (pathModule "directory") ];
            default = [ ];
            example = [ examples.directory ];
            description = "Directories to keep at level ${level}, whole.";
          };
          files = mkOption {
            type = listOfPaths "file" [
              (pathModule "file")
              fileMethod
            ];
            default = [ ];
            example = [ examples.file ];
            description = "Single files to keep at level ${level}.";
          };
        };
      };
    }
  );
}
