# What must be left alone, whoever asks for it: why a path is not kept, or null.
#
#   boundaries { fileSystems; wiped; stores; homes; written; } "/tank/pg"
#     -> { kind = "mounted"; by = "/tank"; }
#
# fileSystems: { MOUNT-POINT = TYPE; }.
# wiped:       mount points whose file system is emptied at boot.
# stores:      where things are kept.
# homes:       home directories of people.
# written:     paths that NixOS writes at every activation.
{
  fileSystems,
  wiped,
  stores,
  homes,
  written,
}:
let
  inherit (builtins)
    any
    attrNames
    elem
    elemAt
    filter
    length
    listToAttrs
    map
    ;
  inherit (import ./paths.nix) ancestorsOf covers normalise;

  volatile = [
    "ramfs"
    "tmpfs"
  ];

  byMountPoint = listToAttrs (
    map (mountPoint: {
      name = normalise mountPoint;
      value = fileSystems.${mountPoint};
    }) (attrNames fileSystems)
  );

  last = list: if list == [ ] then null else elemAt list (length list - 1);
  isWiped = mountPoint: elem mountPoint (map normalise wiped) || elem byMountPoint.${mountPoint} volatile;

  # The nearest mount point around a path, or null for the root file system.
  mountPointOf = path: last (filter (above: byMountPoint ? ${above}) (ancestorsOf path ++ [ path ]));

  storeOf = path: last (filter (store: covers store path) stores);
in
path:
let
  mountPoint = mountPointOf path;
  store = storeOf path;
in
if store != null then
  {
    kind = "stored";
    by = store;
  }
else if mountPoint != null && !(isWiped mountPoint) then
  {
    kind = "mounted";
    by = mountPoint;
  }
else if any (home: covers path home) homes then
  {
    kind = "home";
    by = last (filter (covers path) homes);
  }
else if any (covers path) written then
  {
    kind = "written";
    by = last (filter (covers path) written);
  }
else
  null
