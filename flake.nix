{
  description = "Find out which paths a program must keep on an impermanent NixOS system, and keep them";

  # No inputs: what imports the modules brings its own nixpkgs and its own impermanence or
  # preservation, and its lock file stays as it is. Packages, shells and checks use nix/dev/pins.json.
  outputs =
    { self }:
    let
      imptrace = import ./nix;
      pins = import ./nix/dev/pins.nix;

      forEachSystem =
        make:
        builtins.listToAttrs (
          map
            (system: {
              name = system;
              value = make (import pins.nixpkgs { inherit system; });
            })
            [
              "x86_64-linux"
              "aarch64-linux"
            ]
        );
    in
    {
      inherit (imptrace) nixosModules homeModules lib;

      # For those who want the tool from their own nixpkgs.
      overlays.default = final: _: { imptrace = final.callPackage ./nix/dev/package.nix { }; };

      packages = forEachSystem (pkgs: rec {
        imptrace = pkgs.callPackage ./nix/dev/package.nix { };
        default = imptrace;
      });

      devShells = forEachSystem (pkgs: {
        default = pkgs.callPackage ./nix/dev/shell.nix { };
      });

      checks = forEachSystem (
        pkgs:
        import ./nix/dev/checks.nix {
          inherit pkgs pins;
          inherit (imptrace) nixosModules;
        }
      );

      formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
