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
    fromJSON
    fromTOML
    hashString
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

  # What every evaluation needs of an entry is in the index too, which is read sooner than 1,600
  # files of TOML; nix/dev/index-catalogue writes it. A line counts while its file is as it was.
  index = fromJSON (readFile ../index.json);

  entryOf =
    indexed: file:
    let
      id = idOf file;
      text = readFile file;
      whole = addErrorContext "while reading the catalogue file ${toString file}" (fromTOML text);
      line = indexed.${id} or { hash = null; };
      brief = if line.hash == hashString "md5" text then line else whole;
      persist = whole.persist or [ ];
      instance = whole.instance or [ ];
    in
    {
      inherit
        file
        id
        persist
        instance
        ;
      inherit (whole) title;
      note = whole.note or null;
      option = if brief ? option then splitOn "\\." brief.option else null;
      enable = toList (brief.enable or [ ]);
      requires = toList (brief.requires or [ ]);
      programs = brief.programs or [ ];
      aliases = brief.aliases or [ ];
      # Whether there is anything to keep.
      keeps = brief.keeps or (persist != [ ] || instance != [ ]);
    };
in
{
  read = entryOf { };

  readAll =
    directory:
    listToAttrs (
      map (name: {
        name = idOf name;
        value = entryOf index.${baseNameOf directory} or { } (directory + "/${name}");
      }) (filter (name: match ".*\\.toml" name != null) (attrNames (readDir directory)))
    );
}
