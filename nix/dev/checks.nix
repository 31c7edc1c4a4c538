# The checks of the flake: the package, the README's example on a real NixOS, and two machines
# that reboot.
{
  pkgs,
  pins,
  nixosModules,
}:
let
  backendModules = {
    impermanence = pins.impermanence + "/nixos.nix";
    preservation = pins.preservation + "/module.nix";
  };

  example = import (pins.nixpkgs + "/nixos/lib/eval-config.nix") {
    inherit (pkgs.stdenv.hostPlatform) system;
    modules = [
      nixosModules.default
      backendModules.impermanence
      ./example.nix
      {
        boot.loader.grub.enable = false;
        fileSystems =
          let
            persistent = {
              device = "/dev/disk/by-label/persistent";
              fsType = "ext4";
              neededForBoot = true;
            };
          in
          {
            "/" = {
              device = "none";
              fsType = "tmpfs";
            };
            "/persistent" = persistent;
            "/persistence" = persistent;
          };
        system.stateVersion = pkgs.lib.trivial.release;
      }
    ];
  };

  machine =
    backend:
    pkgs.testers.runNixOSTest (
      import ../tests/vm.nix {
        nixosModule = nixosModules.default;
        backendModule = backendModules.${backend};
        inherit backend;
      }
    );
in
{
  package = pkgs.callPackage ./package.nix { };
  example = example.config.system.build.toplevel;
  reboot-impermanence = machine "impermanence";
  reboot-preservation = machine "preservation";
}
