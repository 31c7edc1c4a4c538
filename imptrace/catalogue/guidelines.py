"""The guidelines of docs/guidelines.md that can be checked: one small function per rule.

A rule answers with the problems of one entry; `across` looks at all entries together. The name of a
rule is the name that docs/guidelines.md gives it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from imptrace.catalogue.model import FOLDERS, Entry, EntryPlace, KeptPath, Written
from imptrace.catalogue.source import Spot
from imptrace.catalogue.unsourced import UNSOURCED
from imptrace.facts.conventions import EVERYBODYS
from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import is_within

LONGEST_NOTE = 160

TOO_WIDE = frozenset((
    b"/", b"/etc", b"/etc/ssh", b"/etc/nix", b"/etc/static", b"/etc/systemd", b"/etc/profiles",
    b"/etc/NetworkManager", b"/home", b"/nix", b"/opt", b"/root", b"/srv", b"/usr", b"/var",
    b"/var/cache", b"/var/db", b"/var/lib", b"/var/lib/private", b"/var/log", b"/var/spool",
    b".config", b".local", b".local/share", b".local/state", b".local/bin",
))  # fmt: skip
"""Directories of many owners, or that NixOS and Home Manager write into."""

COMMON = EVERYBODYS | {b"/var/lib/misc", b".cache"}
"""Well-known places that several programs write."""

INTERPRETERS = frozenset((
    "sh", "python", "python3", "perl", "ruby", "node", "nodejs", "java", "php", "php-fpm",
    "bundle", "gunicorn", "uwsgi", "dotnet",
))  # fmt: skip

_UNIT = re.compile(r"[A-Za-z0-9:_.@*\\-]+\.(service|socket|timer|target|path|mount|slice)")
_CACHES_AND_LOGS = re.compile(rb"(/var/(cache|log)|\.cache)/")
_PRIVATE = re.compile(rb"/var/(lib|cache|log)/private/")
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_SHORTEST_NAME = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One breach of a rule."""

    rule: str
    spot: Spot
    text: str


def problems(entry: Entry) -> Iterator[Problem]:
    """Every breach by one entry."""
    for rule in _ENTRY_RULES:
        yield from rule(entry)
    for table, paths in _tables(entry):
        for index, kept in enumerate(paths):
            for path_rule in _PATH_RULES:
                for text in path_rule(entry, table, kept):
                    spot = Spot(table, index, "path")
                    yield Problem(path_rule.__name__.replace("_", "-"), spot, text)


def across(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Problem]]:
    """Breaches that only two entries together show: `one-owner`, `same-level`."""
    owners: dict[tuple[EntryPlace, bytes], Entry] = {}
    levels: dict[tuple[EntryPlace, bytes], Level] = {}
    for entry in entries:
        for index, kept in enumerate(entry.persist):
            owner = owners.setdefault((entry.place, kept.path), entry)
            if owner is not entry:
                text = f"{_shown(kept)} belongs to {owner.id} already: [[shared]] in both"
                yield entry, Problem("one-owner", Spot("persist", index, "path"), text)
        for index, kept in enumerate(entry.shared):
            level = levels.setdefault((entry.place, kept.path), kept.level)
            if level is not kept.level:
                text = f"{_shown(kept)} is {level} in another entry"
                yield entry, Problem("same-level", Spot("shared", index, "level"), text)


def _tables(entry: Entry) -> Iterator[tuple[str, tuple[KeptPath, ...]]]:
    yield "persist", entry.persist
    yield "instance", entry.instances
    yield "shared", entry.shared


def _shown(kept: KeptPath) -> str:
    return repr(kept.path.decode())


def own_place(entry: Entry, table: str, kept: KeptPath) -> Iterator[str]:
    """Ask an owned path for a name of its owner, or another sign that it belongs here."""
    if table == "shared" or kept.note or kept.repos or _carries_name(entry, kept.path):
        return
    yield f"{_shown(kept)} carries no name of the entry: give a note or a count, or [[shared]]"


def shared_place(entry: Entry, table: str, kept: KeptPath) -> Iterator[str]:
    """Ask for what several programs write to be explicit."""
    if table != "shared" and kept.path in COMMON and entry.id not in {"nixos-users", "base"}:
        yield f"{_shown(kept)} is used by many programs: [[shared]]"


def too_wide(_entry: Entry, table: str, kept: KeptPath) -> Iterator[str]:
    """Refuse to keep whole what belongs to many, or what the system writes into."""
    if table != "shared" and kept.path in TOO_WIDE:
        yield f"{_shown(kept)} holds more than one owner's files: name what is below it"


def regenerable(_entry: Entry, table: str, kept: KeptPath) -> Iterator[str]:
    """Ask caches and logs to be transient, or for the reason why not."""
    if table == "shared" or kept.note:
        return
    if _CACHES_AND_LOGS.match(kept.path) and kept.level is not Level.TRANSIENT:
        yield f"{_shown(kept)} is a cache or log, and {kept.level}: a note must say who reads it"


def secret_mode(entry: Entry, _table: str, kept: KeptPath) -> Iterator[str]:
    """Ask a secret to be closed to others."""
    if kept.level is not Level.SECRET or kept.is_pattern:
        return
    if kept.mode is None and entry.place is EntryPlace.HOME and kept.kind is Kind.DIRECTORY:
        yield f"{_shown(kept)} is secret: it needs a mode"
    if kept.mode is not None and kept.mode & 0o007 and not kept.note:
        yield f"{_shown(kept)} is secret and open to others ({kept.mode:04o}): a note must say why"


def dynamic_user(entry: Entry, _table: str, kept: KeptPath) -> Iterator[str]:
    """Ask a service with DynamicUser= for the private directory, closed and without an owner."""
    if _PRIVATE.match(kept.path):
        if kept.mode != 0o700 or kept.user or kept.group:  # noqa: PLR2004 (the mode systemd sets)
            yield f"{_shown(kept)} must have mode 0700 and no owner: systemd gives it one"
    elif entry.dynamic_user and entry.place is EntryPlace.SERVICE:
        yield f"{_shown(kept)} is only a link with DynamicUser=: keep /var/lib/private/NAME"


def rename_needs_directory(entry: Entry, _table: str, kept: KeptPath) -> Iterator[str]:
    """Ask for the directory of a file that is replaced by rename, where that is the owner's."""
    within = any(each is not kept and is_within(kept.path, each.path) for each in entry.persist)
    if kept.written is not Written.RENAME or kept.note or within:
        return
    parent = kept.path.rpartition(b"/")[0].rpartition(b"/")[2]
    if parent and _carries_name(entry, parent):
        yield f"{_shown(kept)} is replaced by rename: keep {parent.decode()!r}, or say why not"


def contradiction(entry: Entry, _table: str, kept: KeptPath) -> Iterator[str]:
    """Refuse what is both kept and never to be kept."""
    if any(never.path == kept.path for never in entry.never):
        yield f"{_shown(kept)} stands in [[never]] too"


def note_of_path(_entry: Entry, _table: str, kept: KeptPath) -> Iterator[str]:
    """Ask for a phrase."""
    if kept.note and (len(kept.note) > LONGEST_NOTE or kept.note.endswith(".")):
        yield f"a note is a phrase of at most {LONGEST_NOTE} characters, without a full stop"


def _note(entry: Entry) -> Iterator[Problem]:
    if entry.note and not entry.note.endswith("."):
        yield Problem("note-of-entry", Spot(key="note"), "the note of an entry is a sentence")


def _evidence(entry: Entry) -> Iterator[Problem]:
    if entry.known is None and f"{FOLDERS[entry.place]}/{entry.id}" not in UNSOURCED:
        text = 'known is missing: say "recorded: PROGRAM VERSION" or "document: WHICH"'
        yield Problem("evidence", Spot(key="title"), text)


def _programs(entry: Entry) -> Iterator[Problem]:
    for program in entry.programs:
        if program in INTERPRETERS and entry.place is EntryPlace.SERVICE:
            text = f"{program!r} runs many services: it says nothing about this one"
            yield Problem("programs", Spot(key="programs"), text)
        if "/" in program:
            yield Problem("programs", Spot(key="programs"), f"{program!r} is no base name")


def _units(entry: Entry) -> Iterator[Problem]:
    for unit in entry.units:
        if not _UNIT.fullmatch(unit):
            yield Problem("units", Spot(key="units"), f"{unit!r} is no name of a unit")


def _aliases(entry: Entry) -> Iterator[Problem]:
    known = {entry.id, *entry.programs, *(unit.removesuffix(".service") for unit in entry.units)}
    for alias in entry.aliases:
        if alias.lower() in {name.lower() for name in known}:
            yield Problem("aliases", Spot(key="aliases"), f"{alias!r} is found without the alias")


def _enable(entry: Entry) -> Iterator[Problem]:
    if entry.enable and not entry.option:
        yield Problem("enable", Spot(key="enable"), "enable needs an option to stand beside")


def _carries_name(entry: Entry, path: bytes) -> bool:
    """Whether a name of the path and one of the entry begin alike, or one holds the other."""
    parts = [_folded(part) for part in path.decode().split("/")]
    names = [_folded(name) for name in _names(entry)]
    return any(
        name in part or (part in name and len(part) > _SHORTEST_NAME)
        for part in parts
        for name in names
        if len(name) >= _SHORTEST_NAME and part
    )


def _names(entry: Entry) -> Iterator[str]:
    yield entry.id
    yield from entry.aliases
    yield from entry.programs
    yield from (unit.partition(".")[0].partition("@")[0] for unit in entry.units)
    yield from (name for name in (entry.user, entry.title) if name and name != "root")


def _folded(name: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", name.lower())


_ENTRY_RULES: tuple[Callable[[Entry], Iterator[Problem]], ...] = (
    _note, _evidence, _programs, _units, _aliases, _enable,
)  # fmt: skip
_PATH_RULES: tuple[Callable[[Entry, str, KeptPath], Iterator[str]], ...] = (
    own_place, shared_place, too_wide, regenerable, secret_mode, dynamic_user,
    rename_needs_directory, contradiction, note_of_path,
)  # fmt: skip
