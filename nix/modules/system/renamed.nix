# Options that stood elsewhere in nixos-impermanence.
{ lib, ... }:
{
  imports = [
    (lib.mkRenamedOptionModule
      [ "programs" "ssh" "persistence" ]
      [ "services" "openssh" "persistence" ]
    )
  ];
}
