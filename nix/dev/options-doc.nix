# docs/options.md, from the options themselves: a string of Markdown.
{ nixpkgsLib }:
let
  lib = import nixpkgsLib;
  imptrace = import ../.;
  places = import ../lib/places.nix;
  inherit (lib)
    attrByPath
    concatMapStringsSep
    concatStringsSep
    mapAttrsToList
    ;

  system = lib.evalModules {
    class = "nixos";
    modules = [
      (import ../tests/stand-ins.nix { inherit lib; })
      imptrace.nixosModules.default
    ];
  };

  homeStandIns.options.home = {
    homeDirectory = lib.mkOption { };
    username = lib.mkOption { };
  };
  home = lib.evalModules {
    class = "homeManager";
    modules = [
      homeStandIns
      { config._module.check = false; }
      imptrace.homeModules.default
    ];
  };

  # The roles that nixos-render-docs knows, as plain code.
  plain = lib.replaceStrings [ "{option}" "{manpage}" "{file}" "‹" "›" ] [ "" "" "" "‹" "›" ];

  code = text: if lib.hasInfix "\n" text then "\n\n```nix\n${text}\n```" else " `${text}`";
  literal = value: if value._type or null == "literalMD" then " ${plain value.text}" else code value.text;
  render = option: attribute: "\n- ${attribute}:${literal (lib.options.renderOptionValue option.${attribute})}";

  facts =
    option:
    "- type: ${option.type.description}"
    + (
      if option ? defaultText then
        "\n- default:${literal option.defaultText}"
      else
        lib.optionalString (option ? default) (render option "default")
    )
    + lib.optionalString (option ? example) (render option "example")
    + lib.optionalString (option.readOnly or false) "\n- read-only";

  section = name: option: ''
    ### `${name}`

    ${lib.trim (plain option.description)}

    ${facts option}
  '';

  isShown = option: lib.isOption option && !(option.internal or false);
  sections =
    prefix: options:
    concatStringsSep "\n" (
      mapAttrsToList (name: section (concatStringsSep "." (prefix ++ [ name ]))) (
        lib.filterAttrs (_: isShown) options
      )
    );

  # The inner options are the same for every entry: they are shown once.
  levelOf = (system.options.environment.machineId.persistence.type.getSubOptions [ ]).normal;
  inLevel = levelOf.type.getSubOptions [ ];
  innerSections =
    kind:
    sections [ "OPTION.persistence.LEVEL.${kind}.*" ] (
      removeAttrs (inLevel.${kind}.type.getSubOptions [ ]) [ "_module" ]
    );

  # "`/var/lib/x` (x:x 0750)"
  showPath =
    one:
    let
      owner = lib.optional (one ? user) (
        one.user + lib.optionalString (one ? group) ":${one.group}"
      );
      method = {
        symlink = [ "linked" ];
        copy = [ "copied" ];
      };
      remarks = owner ++ lib.optional (one ? mode) one.mode ++ method.${one.method or ""} or [ ];
    in
    "`${one.directory or one.file}`"
    + lib.optionalString (remarks != [ ]) " (${concatStringsSep " " remarks})";

  showLevel =
    level: contents:
    map (one: "- ${level}: ${showPath one}") contents.directories or [ ]
    ++ map (one: "- ${level}: file ${showPath one}") contents.files or [ ];

  # Levels in their order, not in that of the alphabet.
  showDefault =
    levels:
    concatStringsSep "\n" (
      lib.concatMap (level: showLevel level (levels.${level} or { })) (import ../lib/levels.nix).names
    );

  entrySection =
    evaluated: root: entry:
    let
      place = places.placeOf { inherit root; } entry ++ [ "persistence" ];
      option = attrByPath place null evaluated.options;
    in
    ''
      ### `${concatStringsSep "." place}`

      ${lib.trim (plain option.description)}

      ${showDefault (import ../lib/as-written.nix { inherit lib entry; })}
    '';

  entrySections =
    evaluated: root: modules: catalogue:
    concatMapStringsSep "\n" (entrySection evaluated root) (
      lib.filter (entry: modules ? ${entry.id}) (lib.attrValues catalogue)
    );
in
''
  # Options

  Generated from the modules by `nix/dev/options-doc`; do not edit. [nixos.md](nixos.md) says how to
  use them.

  ## Where each level is kept

  ${sections [ "environment.automaticPersistence" ]
    system.options.environment.automaticPersistence
  }
  ### `environment.automaticPersistence.LEVEL.path`

  Directory on persistent storage. `null` switches the level off.

  - type: null or absolute path
  - example: `"/persistent"`

  ## The machine id

  ${section "environment.machineId.persistence" system.options.environment.machineId.persistence}
  ## The recorder as a service

  With `nixosModules.imptrace` or `default`; [services.md](services.md#always-on) says what it does.

  ${sections [ "services.imptrace" ] (
    removeAttrs system.options.services.imptrace [ "persistence" ]
  )}
  ## The form of every persistence option

  `OPTION.persistence` is a set of the levels `transient`, `normal`, `important` and `secret`.
  Each has two lists. An element is a path, or a set with the options below.

  ### `OPTION.persistence.LEVEL.directories`

  Directories to keep, whole.

  - type: ${inLevel.directories.type.description}
  - default: `[ ]`

  ${innerSections "directories"}
  ### `OPTION.persistence.LEVEL.files`

  Single files to keep.

  - type: ${inLevel.files.type.description}
  - default: `[ ]`

  ${innerSections "files"}
  ## Services

  With each stands its default, by level: path, owner, group and mode. Where an option of the
  service names another place, that place is kept instead.

  ${entrySections system places.system imptrace.nixosModules imptrace.lib.services}
  ## Home directories, with home-manager

  ${sections [ "home.automaticPersistence" ] home.options.home.automaticPersistence}
  ### `home.automaticPersistence.LEVEL.path`

  Directory on persistent storage, to which the path of the home directory is added. `null`
  switches the level off.

  - type: null or absolute path
  - example: `"/persistent"`

  ## Programs, with home-manager

  ${entrySections home places.home imptrace.homeModules imptrace.lib.programs}''
