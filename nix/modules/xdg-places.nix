# Where else a program has what the catalogue places in one of the XDG directories: where the user
# has that directory elsewhere. Not every program asks where it is, so that both places are kept.
{ config, ... }:
let
  inherit (builtins)
    attrNames
    concatMap
    listToAttrs
    ;
  inherit (import ../lib/paths.nix) hasPrefix removePrefix;
  xdg = config.xdg or { };
  home = "${config.home.homeDirectory}/";

  places =
    if xdg.enable or false then
      {
        ".cache" = xdg.cacheHome or null;
        ".config" = xdg.configHome or null;
        ".local/share" = xdg.dataHome or null;
        ".local/state" = xdg.stateHome or null;
      }
    else
      { };

  moved = listToAttrs (
    concatMap (
      top:
      let
        place = toString places.${top};
        below = removePrefix home place;
      in
      if hasPrefix home place && below != top then
        [
          {
            name = "${top}/";
            value = "${below}/";
          }
        ]
      else
        [ ]
    ) (attrNames places)
  );
in
path:
concatMap (top: if hasPrefix top path then [ (moved.${top} + removePrefix top path) ] else [ ]) (
  attrNames moved
)
