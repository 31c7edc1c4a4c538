# Stand-ins for the parts of NixOS that the modules touch, so that they can be evaluated with
# nixpkgs' lib alone: the options that the back ends define, and those of catalogued services.
{
  lib,
  services ? [ ], # catalogue entries whose options are declared
}:
let
  inherit (lib) mkOption types;
  inherit (import ../lib/paths.nix) splitOn;

  anything = mkOption {
    type = types.attrsOf types.anything;
    default = { };
  };
  listOfAnything = mkOption {
    type = types.listOf types.anything;
    default = [ ];
  };

  user =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
        };
        uid = mkOption {
          type = types.nullOr types.int;
          default = 1000;
        };
        home = mkOption {
          type = types.str;
          default = "/home/${name}";
        };
        homeMode = mkOption {
          type = types.str;
          default = "0700";
        };
        group = mkOption {
          type = types.str;
          default = name;
        };
        isNormalUser = mkOption {
          type = types.bool;
          default = false;
        };
        createHome = mkOption {
          type = types.bool;
          default = false;
        };
        packages = listOfAnything;
      };
    };

  fileSystem =
    { name, ... }:
    {
      options = {
        mountPoint = mkOption {
          type = types.str;
          default = name;
        };
        fsType = mkOption {
          type = types.str;
          default = "auto";
        };
        neededForBoot = mkOption {
          type = types.bool;
          default = true;
        };
      };
    };

  etcFile =
    { name, ... }:
    {
      options = {
        target = mkOption {
          type = types.str;
          default = name;
        };
        text = mkOption { type = types.lines; };
      };
    };

  # Its dependencies merge, as lists do.
  activationScript.options = {
    deps = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    text = mkOption { type = types.lines; };
  };

  nameOf = splitOn "\\.";

  declare =
    default: type: name:
    lib.setAttrByPath (nameOf name) (mkOption { inherit default type; });

  recordsOf = entry: entry.persist ++ entry.instance;

  # That of imptrace is declared by its own module.
  enables = lib.remove "services.imptrace.enable" (
    lib.unique (lib.concatMap (entry: entry.enable) services)
  );
  follows = lib.unique (
    lib.concatMap (entry: lib.catAttrs "follows" (recordsOf entry)) services
  );
  instances = lib.unique (lib.concatMap (entry: lib.catAttrs "each" entry.instance) services);

  # What is enabled by an attribute set of instances is declared as that.
  booleans = lib.subtractLists instances enables;

  serviceOptions = lib.foldl' lib.recursiveUpdate { } (
    map (declare { } (types.attrsOf types.anything)) instances
    ++ map (declare false types.anything) booleans
    ++ map (declare null types.anything) (lib.filter (name: !(lib.hasInfix "<name>" name)) follows)
  );
in
{
  options = lib.recursiveUpdate serviceOptions {
    # An option of NixOS that has the name which the catalogue's options have.
    services.mosquitto.persistence = mkOption {
      type = types.bool;
      default = true;
    };
    assertions = listOfAnything;
    warnings = listOfAnything;
    fileSystems = mkOption {
      type = types.attrsOf (types.submodule fileSystem);
      default = { };
    };
    system.stateVersion = mkOption {
      type = types.str;
      default = "25.11";
    };
    system.activationScripts = mkOption {
      type = types.attrsOf (types.submodule activationScript);
      default = { };
    };
    users.users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
    };
    users.groups = anything;
    environment = {
      etc = mkOption {
        type = types.attrsOf (types.submodule etcFile);
        default = { };
      };
      pathsToLink = listOfAnything;
      systemPackages = listOfAnything;
    };
    nix = {
      enable = mkOption {
        type = types.bool;
        default = false;
      };
      package = mkOption { type = types.package; };
    };
    boot.initrd = {
      postMountCommands = mkOption {
        type = types.lines;
        default = "";
      };
      systemd = {
        enable = mkOption {
          type = types.bool;
          default = true;
        };
        mounts = listOfAnything;
        suppressedUnits = listOfAnything;
        targets = anything;
        tmpfiles.settings = anything;
      };
    };
    systemd = {
      mounts = listOfAnything;
      paths = anything;
      services = anything;
      suppressedSystemUnits = listOfAnything;
      targets = anything;
      tmpfiles.settings = anything;
      tmpfiles.rules = listOfAnything;
    };
  };

  # Every user that the catalogue names, as the services' own modules declare them.
  config.users.users = lib.genAttrs (
    [ "root" ] ++ lib.concatMap (entry: lib.catAttrs "user" entry.persist) services
  ) (name: { home = lib.mkIf (name == "root") "/root"; });
}
