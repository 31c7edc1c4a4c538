# Assertions and warnings of the home-manager side.
{
  config,
  lib,
  options,
  ...
}@args:
let
  inherit (config.home.automaticPersistence) kept;
  system = (args.osConfig or null).environment.automaticPersistence or { backend = null; };
  nestedCopies = lib.filter (item: item.method == "copy" && item.within != null) kept;
in
{
  config = {
    assertions = [
      {
        assertion = kept == [ ] || options.home ? persistence || system.backend != null;
        message = ''
          home.automaticPersistence: nothing can be kept, since home directories are mounted by
          the system. Use home-manager as a module of NixOS, and import imptrace's nixosModules.default
          and impermanence or preservation there.
        '';
      }
    ];

    warnings = lib.optional (nestedCopies != [ ]) ''
      home.automaticPersistence: these files are replaced by rename and lie in a directory that
      is kept in another store; they stay in that store: ${
        lib.concatMapStringsSep ", " (item: item.path) nestedCopies
      }.
    '';
  };
}
