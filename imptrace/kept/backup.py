"""What is to be kept, as the lists that backup programs read. Pure.

Caches are left out, what is secret is marked, databases have the command that dumps them, and
paths are whole: of a service with DynamicUser the private directory, and with it the one above,
without whose mode systemd refuses to start the service.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imptrace.facts.levels import Level
from imptrace.facts.paths import is_within, parents_of
from imptrace.facts.units import private_parent
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


@dataclass(frozen=True, slots=True)
class _ListedPath:
    """A path of a list."""

    path: bytes
    is_directory: bool
    remarks: tuple[bytes, ...]


def backup(
    wanted: Sequence[Recommendation], program: BackupProgram, name: str, dumps: Dumps
) -> list[bytes]:
    """Write the lines of a list. `name`: what clan calls the state."""
    included, excluded = split(wanted)
    if program is BackupProgram.CLAN:
        return _clan([_listed(each, wanted, dumps) for each in included], name)
    saved = [_listed(each, wanted, dumps) for each in _on_lines(included)]
    if program is BackupProgram.RESTIC:
        return _restic(saved)
    caches = [_listed(each, (), {}) for each in _on_lines(excluded)]
    return _borg(saved, caches) if program is BackupProgram.BORG else _rsync(saved, caches)


def _listed(each: Recommendation, wanted: Iterable[Recommendation], dumps: Dumps) -> _ListedPath:
    return _ListedPath(each.path, each.kind is Kind.DIRECTORY, tuple(_remarks(each, wanted, dumps)))


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
        if each.level is Level.TRANSIENT
        and any(is_within(each.path, top) for top in tops)
        # What holds state is saved whole.
        and not any(is_within(state.path, each.path) for state in kept)
    ]
    return included, excluded


def unwritable(wanted: Iterable[Recommendation]) -> list[bytes]:
    """Name the paths that no list of lines can hold."""
    return [each.path for each in wanted if _spans_lines(each.path)]


def _on_lines(wanted: Iterable[Recommendation]) -> Iterator[Recommendation]:
    return (each for each in wanted if not _spans_lines(each.path))


def _spans_lines(path: bytes) -> bool:
    return any(byte in path for byte in _BREAKS)


def _remarks(
    each: Recommendation, wanted: Iterable[Recommendation], dumps: Dumps
) -> Iterator[bytes]:
    """Say how much care it needs, what in it needs more, and how a database in it is dumped."""
    replaced = ", replaced by its program" if each.method is Method.NONE else ""
    yield f"# {each.level}{replaced}".encode()
    for other in wanted:
        if (
            other.scope is Scope.OWNED
            and other.level > each.level
            and is_within(other.path, each.path)
            and not _spans_lines(other.path)
        ):
            yield f"# {other.level} in it: ".encode() + other.path
    for command in dumps.get(each.path, ()):
        yield f"# dump: {command}".encode()


def restic_excludes(wanted: Sequence[Recommendation]) -> list[bytes]:
    """Write the lines of what restic leaves out: its other list can only say what is saved."""
    lines = [b"# restic backup --files-from LIST --exclude-file THIS_FILE"]
    # restic replaces variables in this list, and only in this one.
    lines += [_restic_line(each.path).replace(b"$", b"$$") for each in _on_lines(split(wanted)[1])]
    return lines


def _restic(saved: Sequence[_ListedPath]) -> list[bytes]:
    lines = [b"# restic backup --files-from THIS_FILE --exclude-file THIS_FILE.exclude"]
    for each in saved:
        lines += [*each.remarks, _restic_line(each.path)]
    return lines


def _restic_line(path: bytes) -> bytes:
    """Escape a path, also a blank at its end, which restic would strip."""
    if path[-1] in _BLANKS:
        return _escaped(path[:-1]) + b"[" + path[-1:] + b"]"
    return _escaped(path)


def _borg(saved: Sequence[_ListedPath], caches: Iterable[_ListedPath]) -> list[bytes]:
    lines = [b"# borg create --patterns-from THIS_FILE REPOSITORY::ARCHIVE"]
    lines += [b"- pp:" + _borg_path(each) for each in caches]
    tops: dict[bytes, list[bytes]] = {}
    for each in saved:
        top = private_parent(each.path)
        lines += each.remarks
        # borg saves no directory above its roots: where their modes count, the top is the root.
        lines.append((b"R " if top is None else b"+ pp:") + _borg_path(each))
        if top is not None:
            above = (path for path in parents_of(each.path) if is_within(path, top))
            tops.setdefault(top, []).extend(above)
    for top, between in tops.items():
        lines += [b"+ pf:" + path for path in dict.fromkeys(between)]
        lines += [b"- pp:" + top, b"R " + top]
    return lines


def _borg_path(each: _ListedPath) -> bytes:
    """Close a directory's name that ends in a blank, which borg would strip."""
    return each.path + b"/" if each.is_directory and each.path[-1] in _BLANKS else each.path


def _rsync(saved: Sequence[_ListedPath], caches: Iterable[_ListedPath]) -> list[bytes]:
    lines = [b"# rsync -aAXH --filter 'merge THIS_FILE' / COPY/"]
    lines += [b"- " + _escaped(each.path) for each in caches]
    above: dict[bytes, None] = {}
    for each in saved:
        above |= dict.fromkeys(reversed(list(parents_of(each.path))))
    lines += [b"+ " + _escaped(path) + b"/" for path in above]
    for each in saved:
        lines += each.remarks
        lines.append(b"+ " + _escaped(each.path) + (b"/***" if each.is_directory else b""))
    return [*lines, b"- *"]


def _clan(saved: Sequence[_ListedPath], name: str) -> list[bytes]:
    lines = [b"{", b"  clan.core.state.%s.folders = [" % _quoted(name.encode())]
    for each in saved:
        lines += [b"    " + line for line in (*each.remarks, _quoted(each.path))]
    return [*lines, b"  ];", b"}"]


def _quoted(text: bytes) -> bytes:
    for raw, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"${", b"\\${"), (b"\n", b"\\n")):
        text = text.replace(raw, escaped)
    return b'"' + text + b'"'


def _escaped(path: bytes) -> bytes:
    """Take the meaning from characters of a pattern."""
    return b"".join(b"\\" + bytes([byte]) if byte in _GLOB else bytes([byte]) for byte in path)
