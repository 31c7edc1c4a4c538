# What a NixOS with these modules would do at boot, as data: for a machine that does it without
# being NixOS (tests/container/test_nix_reboot.py).
#
# Arguments as those of evaluate.nix, none left out but the other back end. backend: the one that
# mounts. Needs a store to write to.
{
  backend,
  ...
}@arguments:
let
  tools = import ./evaluate.nix (removeAttrs arguments [ "backend" ] // { real = true; });
  inherit (tools) lib imptrace;

  fixtures = map (name: ./catalogue + "/${name}.toml") [
    "dynamic"
    "mailer"
    "rotator"
  ];

  evaluate =
    beside: modules:
    (tools.evaluate {
      beside = [ backend ] ++ beside;
      imports = [ imptrace.nixosModules.default ] ++ map imptrace.lib.serviceModule fixtures;
      declared =
        lib.attrValues imptrace.lib.services ++ map imptrace.lib.catalogue.read fixtures;
      modules = modules ++ [
        {
          environment.automaticPersistence = {
            normal = "/persistent";
            secret = "/secret";
          };
          networking.networkmanager.enable = true;
          services = {
            dynamic.enable = true;
            mailer.enable = true;
            postgresql.enable = true;
            rotator.enable = true;
          };
        }
      ];
    }).config;

  # The user of the machine, with one program.
  withTester = {
    users.users.tester = { };
    home-manager.users.tester = {
      imports = [ (imptrace.lib.programModule ./catalogue/editor.toml) ];
      options.programs.some-editor.enable = lib.mkEnableOption "the editor";
      config = {
        home = {
          stateVersion = "25.11";
          packages = lib.mkForce [ ];
          automaticPersistence = {
            normal = "/persistent";
            secret = "/secret";
          };
        };
        programs.some-editor.enable = true;
        # Those of home-manager itself would need more of nixpkgs than its lib.
        programs.man.enable = false;
        dconf.enable = false;
      };
    };
  };

  config = evaluate [ "homeManager" ] [ withTester ];
  tester = config.home-manager.users.tester.systemd.user;
  inherit (config.boot) initrd;
  scripts = config.system.activationScripts;
  persisting = lib.filterAttrs (name: _: lib.hasPrefix "persist-" name);
in
{
  # Without home-manager, whose own assertions would need more of nixpkgs.
  failed = map (one: one.message) (lib.filter (one: !one.assertion) (evaluate [ ] [ ]).assertions);

  initrd = {
    inherit (initrd.systemd) mounts;
    tmpfiles = lib.attrValues initrd.systemd.tmpfiles.settings;
  };

  activation = map (name: scripts.${name}.text) (
    lib.filter (name: scripts ? ${name}) [
      "persistentParents"
      "createPersistentStorageDirs"
      "persist-files"
    ]
  );

  tmpfiles = lib.attrValues config.systemd.tmpfiles.settings;
  masked = config.systemd.suppressedSystemUnits;
  inherit (config.systemd)
    mounts
    paths
    services
    targets
    ;

  user = lib.mapAttrs' (name: lib.nameValuePair "${name}.service") (persisting tester.services)
    // lib.mapAttrs' (name: lib.nameValuePair "${name}.path") tester.paths;
}
