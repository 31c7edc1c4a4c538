# Two shell scripts that keep one file by copying it: `restore` at boot, `save` after a change.
#
# Neither follows a symbolic link at the file's own name or at that of the unfinished copy, since
# others may own the directory; and a copy only takes its name when it is complete, so that a
# crash leaves the old one.
{ lib }:
{ file, kept }:
let
  names = ''
    file=${lib.escapeShellArg file}
    kept=${lib.escapeShellArg kept}
  '';

  copy = from: to: ''
    mkdir -p -- "$(dirname -- "${to}")"
    cp -p --no-dereference --remove-destination -- "${from}" "${to}.copying"
    sync -- "${to}.copying"
    mv -fT -- "${to}.copying" "${to}"
  '';
in
{
  restore = ''
    set -eu
    ${names}
    if [ -f "$kept" ] && [ ! -e "$file" ]; then
    ${copy "$kept" "$file"}fi
  '';

  save = ''
    set -eu
    ${names}
    if [ -f "$file" ] && [ ! -L "$file" ]; then
    ${copy "$file" "$kept"}fi
  '';
}
