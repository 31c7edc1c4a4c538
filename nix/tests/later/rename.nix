# As NixOS has it beside its modules: services that releases after 24.05 removed as a whole, those
# that the catalogue has (25.11), and one of tests/catalogue.
{ lib, pkgs, ... }:
let
  inherit (lib) mkAliasOptionModule mkRemovedOptionModule;
in
{
  imports = [
    (mkAliasOptionModule [ "environment" "checkConfigurationOptions" ] [ "_module" "check" ])
  ]
  ++ map (name: mkRemovedOptionModule [ "services" name ] "No longer in nixpkgs.") [
    "ankisyncd"
    "confluence"
    "crowd"
    "dnscrypt-wrapper"
    "grafana-agent"
    "hydron"
    "jira"
    "matrix-sliding-sync"
    "mxisd"
    "rippled"
    "rotator"
    "signald"
    "tvheadend"
    "unifi-video"
  ];
}
