# What a NixOS with these modules would do at boot, as data: for a machine that does it without
# being NixOS (tests/container/test_nix_reboot.py).
#
# Arguments as those of evaluate.nix. backend: the one that mounts. Needs a store to write to.
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

  inherit
    (tools.evaluate {
      beside = [ backend ];
      imports = [
        imptrace.nixosModules.default
      ]
      ++ map imptrace.lib.serviceModule fixtures;
      declared =
        lib.attrValues imptrace.lib.services ++ map imptrace.lib.catalogue.read fixtures;
      modules = [
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
    })
    config
    ;
  inherit (config.boot) initrd;
  scripts = config.system.activationScripts;
in
{
  failed = map (one: one.message) (lib.filter (one: !one.assertion) config.assertions);
  kept = map (one: { inherit (one) path store; }) config.environment.automaticPersistence.kept;

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
}
