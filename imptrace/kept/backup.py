"""What is to be kept, as the lists that backup programs read. Pure.

Caches are left out, what is secret is marked, databases have the command that dumps them, and
paths are whole: of a service with DynamicUser
the private directory.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from imptrace.facts.levels import Level
from imptrace.facts.paths import is_within, parents_of
from imptrace.judge.model import Kind, Method, Recommendation, Scope


class BackupProgram(StrEnum):
    """The program that reads the list."""

    RESTIC = "restic"
    """--files-from FILE and --exclude-file FILE.exclude."""
    BORG = "borg"
    """--patterns-from FILE."""
    RSYNC = "rsync"
    """--filter 'merge FILE', from / to the copy."""
    CLAN = "clan"
    """A module that fills clan.core.state."""


_GLOB = b"\\*?["
_BREAKS = b"\n\r\0"
_BLANKS = b" \t\v\f"


Dumps = Mapping[bytes, Sequence[str]]
"""The commands that dump the databases in a path, by path."""


def backup(
    wanted: Sequence[Recommendation], program: BackupProgram, name: str, dumps: Dumps
) -> list[bytes]:
    """Write the lines of a list. `name`: what clan calls the state."""
    included, excluded = split(wanted)
    if program is BackupProgram.RESTIC:
        return _restic(included, dumps)
    if program is BackupProgram.BORG:
        return _borg(included, excluded, dumps)
    if program is BackupProgram.RSYNC:
        return _rsync(included, excluded, dumps)
    return _clan(included, name, dumps)


def split(
    wanted: Iterable[Recommendation],
) -> tuple[list[Recommendation], list[Recommendation]]:
    """Sort out what is saved, outermost paths only, and the caches inside of it."""
    owned = [each for each in wanted if each.scope is Scope.OWNED]
    kept = [each for each in owned if each.level > Level.TRANSIENT]
    tops = {each.path for each in kept if each.kind is Kind.DIRECTORY}
    included = [each for each in kept if tops.isdisjoint(parents_of(each.path))]
    excluded = [
        each
        for each in owned
        if each.level is Level.TRANSIENT and any(is_within(each.path, top) for top in tops)
    ]
    return included, excluded


def unwritable(wanted: Iterable[Recommendation]) -> list[bytes]:
    """Name the paths that no list of lines can hold."""
    return [each.path for each in wanted if any(byte in each.path for byte in _BREAKS)]


def _remarks(each: Recommendation, dumps: Dumps) -> list[bytes]:
    replaced = ", replaced by its program" if each.method is Method.NONE else ""
    commands = (f"# dump: {command}".encode() for command in dumps.get(each.path, ()))
    return [f"# {each.level}{replaced}".encode(), *commands]


def _lines(included: Iterable[Recommendation]) -> Iterable[Recommendation]:
    return (each for each in included if not any(byte in each.path for byte in _BREAKS))


def restic_excludes(wanted: Sequence[Recommendation]) -> list[bytes]:
    """Write the lines of what restic leaves out: its other list can only say what is saved."""
    lines = [b"# restic backup --files-from LIST --exclude-file THIS_FILE"]
    # restic replaces variables in this list, and only in this one.
    lines += [_restic_line(each.path).replace(b"$", b"$$") for each in _lines(split(wanted)[1])]
    return lines


def _restic(included: Sequence[Recommendation], dumps: Dumps) -> list[bytes]:
    lines = [b"# restic backup --files-from THIS_FILE --exclude-file THIS_FILE.exclude"]
    for each in _lines(included):
        lines += [*_remarks(each, dumps), _restic_line(each.path)]
    return lines


def _restic_line(path: bytes) -> bytes:
    """Escape a path, also a blank at its end, which restic would strip."""
    if path[-1] in _BLANKS:
        return _escaped(path[:-1]) + b"[" + path[-1:] + b"]"
    return _escaped(path)


def _borg(
    included: Sequence[Recommendation], excluded: Sequence[Recommendation], dumps: Dumps
) -> list[bytes]:
    lines = [b"# borg create --patterns-from THIS_FILE REPOSITORY::ARCHIVE"]
    lines += [b"- pp:" + _borg_path(each) for each in _lines(excluded)]
    for each in _lines(included):
        lines += [*_remarks(each, dumps), b"R " + _borg_path(each)]
    return lines


def _borg_path(each: Recommendation) -> bytes:
    """Close a directory's name that ends in a blank, which borg would strip."""
    is_open = each.kind is Kind.DIRECTORY and each.path[-1] in _BLANKS
    return each.path + b"/" if is_open else each.path


def _rsync(
    included: Sequence[Recommendation], excluded: Sequence[Recommendation], dumps: Dumps
) -> list[bytes]:
    lines = [b"# rsync -aAXH --filter 'merge THIS_FILE' / COPY/"]
    lines += [b"- " + _escaped(each.path) for each in _lines(excluded)]
    above: dict[bytes, None] = {}
    for each in _lines(included):
        above |= dict.fromkeys(reversed(list(parents_of(each.path))))
    lines += [b"+ " + _escaped(path) + b"/" for path in above]
    for each in _lines(included):
        lines += _remarks(each, dumps)
        lines.append(
            b"+ " + _escaped(each.path) + (b"/***" if each.kind is Kind.DIRECTORY else b"")
        )
    return [*lines, b"- *"]


def _clan(included: Sequence[Recommendation], name: str, dumps: Dumps) -> list[bytes]:
    lines = [b"{", b"  clan.core.state.%s.folders = [" % _quoted(name.encode())]
    for each in included:
        lines += [b"    " + line for line in (*_remarks(each, dumps), _quoted(each.path))]
    return [*lines, b"  ];", b"}"]


def _quoted(text: bytes) -> bytes:
    for raw, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"${", b"\\${"), (b"\n", b"\\n")):
        text = text.replace(raw, escaped)
    return b'"' + text + b'"'


def _escaped(path: bytes) -> bytes:
    """Take the meaning from characters of a pattern."""
    return b"".join(b"\\" + bytes([byte]) if byte in _GLOB else bytes([byte]) for byte in path)
