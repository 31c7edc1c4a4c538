# How many mounts all of it comes to. Each takes systemd time at every start of a unit that has its
# own view of the file system, so that hundreds are felt.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.environment.automaticPersistence;

  isMounted = item: item.method != "copy";
  count =
    lib.length (lib.filter isMounted cfg.kept)
    + lib.length cfg.declared
    + lib.foldl' (sum: home: sum + lib.length (lib.filter isMounted home.kept)) 0 cfg.homes;
in
{
  options.environment.automaticPersistence.mounts = mkOption {
    type = types.int;
    readOnly = true;
    description = "Number of mounts and links that keeping comes to. For reading only.";
  };

  config.environment.automaticPersistence.mounts = count;
}
