# Reads the catalogue: TOML files, in the form that docs/catalogue.md describes.
#
#   read ../services/networkmanager.toml
#     -> { id = "networkmanager"; option = [ "networking" "networkmanager" ]; persist = [ ... ]; ... }
#   readAll ../services -> { networkmanager = { ... }; ... }
let
  inherit (builtins)
    addErrorContext
    attrNames
    filter
    fromTOML
    isList
    listToAttrs
    match
    readDir
    readFile
    stringLength
    substring
    ;
  inherit (import ./paths.nix) splitOn;

  idOf =
    file:
    let
      name = baseNameOf file;
    in
    substring 0 (stringLength name - stringLength ".toml") name;
  toList = value: if isList value then value else [ value ];
in
rec {
  read =
    file:
    let
      entry = addErrorContext "while reading the catalogue file ${toString file}" (
        fromTOML (readFile file)
      );
    in
    {
      inherit file;
      inherit (entry) title;
      id = idOf file;
      option = if entry ? option then splitOn "\\." entry.option else null;
      enable = toList (entry.enable or [ ]);
      requires = toList (entry.requires or [ ]);
      note = entry.note or null;
      programs = entry.programs or [ ];
      aliases = entry.aliases or [ ];
      persist = entry.persist or [ ];
      instance = entry.instance or [ ];
    };

  readAll =
    directory:
    listToAttrs (
      map (name: {
        name = idOf name;
        value = read (directory + "/${name}");
      }) (filter (name: match ".*\\.toml" name != null) (attrNames (readDir directory)))
    );
}
