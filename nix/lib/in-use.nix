# Whether a catalogue entry is in use on a system, and as whom it runs there, from its options.
{
  lib,
  options,
  config,
}:
let
  inherit (builtins) isAttrs isList;
  lookup = import ./lookup.nix { inherit options config; };

  isOn =
    value:
    if isAttrs value then
      value != { }
    else if isList value then
      value != [ ]
    else
      value == true;

  isSet =
    name:
    let
      found = lookup name;
    in
    found.exists && isOn found.value;
in
{
  inherit lookup;

  isSwitchedOn = entry: builtins.any isSet entry.enable;

  # Of a release that does not have the option nothing is required.
  hasWhatItRequires =
    entry: builtins.all (name: !(lookup name).exists || isSet name) entry.requires;

  # Who a service is told to run as: { syncthing = "alice"; } where services.syncthing.user has
  # another value than its default. A service that only root runs has no such option.
  renamed =
    entry:
    lib.genAttrs [ "user" "group" ] (
      kind:
      let
        name = entry.option ++ [ kind ];
        default = (lib.attrByPath name { } options).default or null;
        found = lookup (lib.concatStringsSep "." name);
      in
      lib.optionalAttrs (
        entry.option != null && lib.isString default && found.exists && lib.isString found.value
      ) { ${default} = found.value; }
    );
}
