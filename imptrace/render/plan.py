"""The copy that must happen before the first switch, as a script for bash. Only printed."""

from collections.abc import Iterator, Sequence

from imptrace.facts.paths import name_of
from imptrace.judge.model import Advice
from imptrace.kept.disk import Survey
from imptrace.render.text import printable
from imptrace.render.words import size

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_")
_PRINTABLE = range(0x20, 0x7F)


def plan(advice: Advice, survey: Survey, units: Sequence[str] = ()) -> str:
    """Write the script. `units`: what has to be stopped while its data is copied."""
    return "\n".join(_lines(advice, survey, units))


def lacks_space(survey: Survey) -> str | None:
    """Say that the store is too small for the copies, if it is."""
    if survey.free is None or survey.needed <= survey.free:
        return None
    return (
        f"{printable(survey.storage)} has {size(survey.free)} left, "
        f"and the copies need {size(survey.needed)}: make room first"
    )


def shell_word(text: bytes) -> str:
    r"""Quote bytes for bash, so that every one of them arrives.

    >>> shell_word(b"/var/lib/x"), shell_word(b"it's\n")
    ('/var/lib/x', "$'it\\'s\\n'")
    """
    if text and _PLAIN.issuperset(text):
        return text.decode("ascii")
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in "\\'":
        return "\\" + character
    if character == "\n":
        return "\\n"
    return character if byte in _PRINTABLE else f"\\x{byte:02x}"


_FUNCTIONS = r"""
start_again() {
  for unit in "${stopped[@]}"; do
    systemctl start -- "$unit" || echo "$unit did not start again" >&2
  done
}
trap start_again EXIT

stop() { # UNIT: if it runs; one that does not, or is not loaded, is left as it is
  systemctl is-active --quiet -- "$1" 2>/dev/null || return 0
  stopped+=("$1")
  systemctl stop -- "$1"
}

parents() { # PATH: makes what is missing above it in the store, each as it is here
  local part=${1%/*} above=
  while [[ $part == /?* ]]; do
    part=${part#/}
    above+=/${part%%/*}
    [[ $part == */* ]] && part=/${part#*/} || part=
    [[ -e $store$above ]] && continue
    mkdir -- "$store$above"
    chown --reference="$above" -- "$store$above"
    chmod --reference="$above" -- "$store$above"
  done
}

move() { # PATH: copied under a temporary name, compared, and only then renamed
  local target=$store$1
  local part=${target%/*}/.${target##*/}.imptrace-part
  if [[ -e $target || -L $target ]]; then
    echo "there already, so it is left: $target" >&2
    return
  fi
  parents "$1"
  rm -rf -- "$part"
  # A full disk is said once, not for each file.
  said=$(cp --archive --reflink=auto -- "$1" "$part" 2>&1) || { head -n 3 <<<"$said" >&2; exit 1; }
  diff -rq --no-dereference -- "$1" "$part"
  sync -f -- "${target%/*}"
  mv --no-target-directory -- "$part" "$target"
  echo "copied: $target"
}
"""


def _lines(advice: Advice, survey: Survey, units: Sequence[str]) -> Iterator[str]:
    storage = printable(survey.storage)
    yield "#!/usr/bin/env bash"
    yield f"# Copies what exists now into {storage}, before the first switch hides it."
    yield f"# Nothing has been copied yet. Needed: {size(survey.needed)}; {_free(survey)}."
    yield "# Interrupted, it can be run again: `imptrace move` does the same, and checks more."
    lack = lacks_space(survey)
    if lack is not None:
        yield f"# TOO LITTLE SPACE: {lack}."
    if not survey.present:
        yield "# Nothing of what is recommended exists now: there is nothing to copy."
        return
    yield "set -eu"
    if survey.needs_root:
        yield '[ "$(id -u)" = 0 ] || { echo "run this as root, with sudo" >&2; exit 1; }'
    yield f"store={shell_word(survey.storage)}"
    yield "stopped=()"
    yield _FUNCTIONS.rstrip("\n")
    yield ""
    yield 'mkdir -p -- "$store"'
    yield from _stopping(advice, units)
    for each in survey.present:
        yield f"# {each.recommendation.level}, {size(each.size)}"
        yield f"move {shell_word(each.recommendation.path)}"
    for missing in survey.absent:
        yield f"# Not there now: {printable(missing.path)}"


def _free(survey: Survey) -> str:
    if survey.free is None:
        return f"{printable(survey.storage)} does not exist yet"
    return f"free: {size(survey.free)}"


def _stopping(advice: Advice, units: Sequence[str]) -> Iterator[str]:
    if units:
        yield "# Those that run are stopped, and started again at the end:"
        for unit in units:
            yield f"stop {shell_word(unit.encode())}"
    elif advice.subject.program is not None:
        yield f"# Quit {printable(name_of(advice.subject.program))} first, if it is running."
