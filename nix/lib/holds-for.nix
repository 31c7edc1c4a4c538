# Whether a record of the catalogue holds for a system.stateVersion; null where there is none.
#
#   holdsFor "24.05" { since-state-version = "24.11"; ... } -> false
let
  inherit (builtins) compareVersions;
in
stateVersion: record:
stateVersion == null
|| (
  compareVersions stateVersion (record.since-state-version or "0") >= 0
  && (
    !(record ? before-state-version) || compareVersions stateVersion record.before-state-version < 0
  )
)
