"""Reasons in words: one sentence part for each code, filled with the reason's figures."""

import re
from collections.abc import Callable, Mapping

from imptrace.facts.ways import way_for
from imptrace.judge.codes import Code
from imptrace.judge.model import Figure, Reason
from imptrace.render.text import printable

Words = str | Callable[[Mapping[str, Figure]], str]

_A_HOME = re.compile(rb"/home/[^/]+|/root")
"""A home by its place, which no entry can keep as a whole."""


def in_words(reason: Reason) -> str:
    """Say a reason: no capital, no full stop; whatever a path holds is escaped."""
    words = _WORDS[Code(reason.code)]
    if callable(words):
        return words(reason.figures)
    return words.format_map({key: _shown(value) for key, value in reason.figures.items()})


def _shown(figure: Figure) -> str:
    if isinstance(figure, tuple):
        return ", ".join(printable(each) for each in figure)
    if isinstance(figure, (bytes, str)):
        return printable(figure)
    return f"{figure:,}"


def _runs(figures: Mapping[str, Figure]) -> str:
    count = figures["runs"]
    return "by this run" if count == 1 else f"by {_shown(count)} runs"


def _declarative(figures: Mapping[str, Figure]) -> str:
    target = figures.get("target")
    if target is None:
        return "made from the system's configuration"
    return f"a link to {_shown(target)}, made from the configuration"


def _never(figures: Mapping[str, Figure]) -> str:
    note = figures.get("note")
    words = (
        f"the catalogue ({_shown(figures['entry'])}) says not to keep it: {_shown(figures['why'])}"
    )
    return f"{words}; {_shown(note)}" if note else words


_AREAS = {
    "config": "settings",
    "data": "data",
    "state": "state",
    "cache": "caches",
    "dot": "dot files",
    "document": "the user's own files",
    "system-state": "state of services",
    "system-cache": "caches of services",
    "log": "logs",
    "spool": "queues",
    "etc": "configuration",
    "served": "data that is served",
    "other": "anything",
}


def _place(figures: Mapping[str, Figure]) -> str:
    return f"{_shown(figures['container'])} is a place for {_AREAS[str(figures['area'])]}"


_WARNED = {
    "setuid": "a setuid program ran without its privilege: what it would have changed is missing",
    "setgid": "a setgid program ran without its group: what it would have changed is missing",
    "listener": "a sandbox of the program was refused: it may have done other than it usually does",
    "unreadable": "a process made itself unreadable: what it changed may be missing; "
    "`sudo imptrace run --user NAME` records it",
    "io_uring": "io_uring was used, and not all that was done by it was seen: something may be "
    "missing",
    "io_uring-off": "io_uring, which the program asked for, is switched off under this recorder: "
    "it may have done other than it usually does",
    "bus": "connected to a message bus: settings may have been written by another program; "
    "`imptrace watch` sees it",
    "changed-path": "paths were changed while calls waited: some may be wrong",
    "too-long": "some names were too long to be recorded: something may be missing",
}


def _warned(figures: Mapping[str, Figure]) -> str:
    code = _shown(figures["warning"])
    return _WARNED.get(code, f"the recorder warned of {code}: imptrace show says what that means")


def _declared_more(figures: Mapping[str, Figure]) -> str:
    count = figures["count"]
    paths = "1 more path that was" if count == 1 else f"{_shown(count)} more paths that were"
    return f"the catalogue knows {paths} not seen: imptrace services {_shown(figures['entry'])}"


def _no_entry(figures: Mapping[str, Figure]) -> str:
    """Say that a file is replaced, and the way that keeps it all the same."""
    path = figures.get("path")
    way = way_for(path) if isinstance(path, bytes) else None
    return (
        f"no entry can keep it: it is replaced, and {_shown(figures['directory'])} is not its own; "
        + (way or "use an option of the program, or an XDG variable, that names a directory")
        + '; or imptrace\'s own options, which copy it (method = "copy")'
    )


def _lone_database(figures: Mapping[str, Figure]) -> str:
    """Say of a database right among other programs' files what would be lost, and the way."""
    path = figures.get("path")
    way = way_for(path) if isinstance(path, bytes) else None
    return (
        "no entry can keep it: what was written last stands in files beside it (-wal, -journal), "
        f"and {_shown(figures['directory'])} is not its own; "
        + (way or "use an option of the program, or an XDG variable, that names a directory")
    )


def _document_replaced(figures: Mapping[str, Figure]) -> str:
    directory = figures["directory"]
    assert isinstance(directory, bytes)  # noqa: S101 (the classifier's, see attribution)
    way = (
        "move such files to a directory like Documents, and keep that"
        if _A_HOME.fullmatch(directory)
        else f"keep the directory that it lies in, {_shown(directory)}"
    )
    return f"no entry can keep it: it is replaced when it is saved; {way}"


def _nothing_kept(figures: Mapping[str, Figure]) -> str:
    del figures
    return "nothing was left behind that would have to be kept; --set-aside shows what was seen"


_WORDS: dict[Code, Words] = {
    Code.VIRTUAL: "made up by the kernel ({fstype})",
    Code.STORE: "in the Nix store",
    Code.DECLARATIVE: _declarative,
    Code.RUNTIME: "below {place}, which is empty after every boot",
    Code.TEMPORARY_PLACE: "below {place}, which is for temporary files",
    Code.TEMPORARY_NAME: "{name} is a temporary name",
    Code.MOVED: "renamed to {to}",
    Code.PERSISTENT_MOUNT: "on {mountpoint} ({fstype}), a mount that survives already",
    Code.LOCK: "{name} is a lock or pid file: harmful when it outlives its process",
    Code.SOCKET: "a socket or pipe, made anew by whoever listens",
    Code.DEVICE: "a device",
    Code.READ_ONLY: "read or looked for, never changed",
    Code.UNCHANGED: "opened for a change that did not happen",
    Code.METADATA_ONLY: "only its mode, owner or times were changed",
    Code.VANISHED: "gone when the run ended",
    Code.EMPTY_DIRECTORY: "a directory with nothing in it to keep",
    Code.PACKAGE: "below {place}, which comes from packages",
    Code.NEVER: _never,
    Code.PRIVATE_MOUNT: "on a mount that only the program could see",
    Code.CREATED: lambda figures: f"created {_runs(figures)}",
    Code.MODIFIED: lambda figures: f"modified {_runs(figures)}",
    Code.READ_BACK: lambda figures: f"read before it was written, {_runs(figures)}",
    Code.EXPECTED: lambda figures: f"read and opened for writing {_runs(figures)}, not changed",
    Code.NEVER_READ_BACK: "written anew by {runs} runs and read by none",
    Code.ASKED_FOR: "asked for by name",
    Code.CATALOGUED: "known to the catalogue ({entry})",
    Code.COUNTED: "kept by {repos} of {of} public configurations",
    Code.NOTE: "{text}",
    Code.SEEN_ELSEWHERE: "known to the catalogue, seen in {path}",
    Code.ELSEWHERE: "NixOS keeps it in {path}",
    Code.UNIT_DECLARES: "declared by the unit ({property}=)",
    Code.NAMED: "{component} is named for {name}",
    Code.SERVICE_HOME: "the home directory of user {user}",
    Code.MADE_BY: "made by the program, used by no other that was recorded",
    Code.SOLE_USER: "no other recorded program uses it",
    Code.DOCUMENT: "a file of the user's own",
    Code.COMMON: "{what} belongs to everybody",
    Code.OTHERS_CHANGE: "also changed by {programs}",
    Code.OTHERS_READ: "also read by {programs}, and not named for this program",
    Code.PLACE: _place,
    Code.CONTENT: "{path} begins like: {hint}",
    Code.SECRET_WORD: "{path} is named for a secret ({word})",
    Code.DATABASE_WORD: "{path} is named like a database ({word})",
    Code.USER_DATA_WORD: "{path} is named like something people make ({word})",
    Code.CACHE_WORD: "its name says that it can be made again ({word})",
    Code.CACHE_TAG: "{path} marks it as a cache",
    Code.HISTORY_WORD: "{path} is a history of what was typed into a program",
    Code.REMEMBERS: "{path} is in a cache, yet named like something that is not ({word})",
    Code.BACKUP_NAME: "{name} is a copy of the file beside it",
    Code.HOLDS_SECRET: "holds a secret, {path}",
    Code.REPLACED_BY_RENAME: "{path} is put in place by renaming {origin}",
    Code.REPLACED_BY_LINK: "{path} is replaced by linking a nameless file in its place",
    Code.RECREATED: "{path} is deleted and made anew",
    Code.ONLY_WHEN_ABSENT: "{path} is made only where there is none: copy it before the switch",
    Code.SYMLINK_REPLACED: "{path} was a symbolic link and became a file",
    Code.LINK_STANDS: "{path} was a link to {target}, and the program wrote through it",
    Code.DIRECTORY_REPLACED: "{path} is put in place by renaming {origin}",
    Code.DOCUMENT_REPLACED: _document_replaced,
    Code.MIXED_DIRECTORY: (
        "no entry can keep it: it is replaced, and {directory} also holds configuration; "
        "use an option of the program that names another place"
    ),
    Code.NO_ENTRY_WORKS: _no_entry,
    Code.LONE_DATABASE: _lone_database,
    Code.DATABASE_BESIDE: (
        "no entry can keep it alone: what was written last stands in files beside it (-wal, "
        "-journal); keep the directory that it lies in, {directory}"
    ),
    Code.DYNAMIC_USER: (
        "the unit has a dynamic user: {public} is a link to this, "
        "and the directory above it must have mode 0700 in the store"
    ),
    Code.EARLY_BOOT: "needed before services start (inInitrd)",
    Code.LOST: "{count} events were lost: something may be missing",
    Code.UNSEEN: "{count} calls were seen without a path: something may be missing",
    Code.WARNED: _warned,
    Code.UNFINISHED: "not recorded to the end: run {runs}",
    Code.NOTHING_RECORDED: "nothing was recorded: this is what the catalogue and the unit declare",
    Code.NOTHING_KEPT: _nothing_kept,
    Code.ALL_PERSISTENT: "nothing to keep; {count} paths lie on mounts that survive already",
    Code.DECLARED_MORE: _declared_more,
    Code.INSTANCE_UNSEEN: "each of {each} keeps {path} as well, which was not seen",
}
