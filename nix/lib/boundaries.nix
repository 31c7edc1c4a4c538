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
  inherit (builtins) elem mapAttrs;
  inherit (import ./paths.nix)
    coveredBy
    nearest
    normalise
    setOf
    ;

  volatile = [
    "ramfs"
    "tmpfs"
  ];

  # By the normal spelling: { "/tank" = "/tank/"; }.
  mountPoints = setOf (builtins.attrNames fileSystems);
  emptied = setOf wiped;
  lasts = mapAttrs (
    path: written: !(emptied ? ${path} || elem fileSystems.${written} volatile)
  ) mountPoints;

  storeSet = setOf stores;
  homesBelow = coveredBy homes;
  writtenBelow = coveredBy written;
in
asked:
let
  path = normalise asked;
  mountPoint = nearest mountPoints path;
  store = nearest storeSet path;
in
if store != null then
  {
    kind = "stored";
    by = store;
  }
else if mountPoint != null && lasts.${normalise mountPoint} then
  {
    kind = "mounted";
    by = normalise mountPoint;
  }
else if homesBelow ? ${path} then
  {
    kind = "home";
    by = homesBelow.${path};
  }
else if writtenBelow ? ${path} then
  {
    kind = "written";
    by = writtenBelow.${path};
  }
else
  null
