# Directories above what is kept that must not be open to others, in the store and in place.
#
# Both back ends create missing parents with mode 0755. systemd refuses to start a DynamicUser
# service when /var/lib/private is readable by others, and /root must stay closed too.
{ config, lib, ... }:
let
  inherit (import ../../lib/paths.nix) ancestorsOf join privateParents;

  closed = privateParents ++ [ "/root" ];

  parentsOf =
    item:
    lib.concatMap (parent: [
      parent
      (join item.store parent)
    ]) (lib.intersectLists closed (ancestorsOf item.path));

  directories = lib.unique (lib.concatMap parentsOf config.environment.automaticPersistence.kept);
in
{
  # Not on a condition that asks what is kept: that asks what systemd-tmpfiles makes.
  config.systemd.tmpfiles.settings = lib.mkIf (config.environment.automaticPersistence.stores != [ ]) {
    imptrace = lib.genAttrs directories (_: {
      d = {
        user = "root";
        group = "root";
        mode = "0700";
      };
    });
  };
}
