"""Reads one catalogue file into an `Entry`; what is wrong with it is an error with its line."""

import re
import tomllib

from imptrace.catalogue.model import (
    CatalogueError,
    Entry,
    EntryPlace,
    Follows,
    KeptPath,
    NeverPath,
    NeverWhy,
    Written,
)
from imptrace.catalogue.paths import (
    kept_problem,
    nesting_problem,
    path_problem,
    pattern_problem,
    template_problem,
)
from imptrace.catalogue.plain_toml import read_plain
from imptrace.catalogue.table import Table
from imptrace.facts.levels import Kind, Level

COUNTED_CONFIGURATIONS = 138
LONGEST_ENTRY = 1 << 15
"""Ten times the longest: a few keys of many parts in more take minutes to be read."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

ENTRY_KEYS = (
    "title", "option", "enable", "requires", "aliases", "units", "programs", "user", "group",
    "dynamic-user", "note", "known", "includes", "persist", "instance", "shared", "never",
)  # fmt: skip
KEPT_KEYS = (
    "path", "kind", "level", "user", "group", "mode", "follows", "follows-prefix",
    "follows-suffix", "written", "early-boot", "since-state-version", "before-state-version",
    "before-follows", "elsewhere", "repos", "note", "dump",
)  # fmt: skip
NEVER_KEYS = ("path", "why", "note")


def read_entry(file: str, text: str, entry_id: str, place: EntryPlace) -> Entry:
    """Read the `text` of `file`. Raises `CatalogueError`."""
    if not _ID.fullmatch(entry_id):
        raise CatalogueError(
            file, 1, f"the file's name {entry_id!r} must be lower case, digits and single dashes"
        )
    if len(text) > LONGEST_ENTRY:
        raise CatalogueError(file, 1, f"longer than the {LONGEST_ENTRY} characters of an entry")
    top = Table(file, text, _parse(file, text))
    top.only(ENTRY_KEYS)
    entry = Entry(
        id=entry_id,
        place=place,
        title=top.required("title"),
        option=top.option("option"),
        enable=top.options("enable"),
        requires=top.options("requires"),
        aliases=top.texts("aliases"),
        units=top.texts("units"),
        programs=top.texts("programs"),
        user=top.account("user"),
        group=top.account("group"),
        dynamic_user=top.flag("dynamic-user"),
        note=top.text("note"),
        known=top.source("known"),
        includes=top.texts("includes"),
        persist=_kept_paths(top, "persist", place),
        instances=_kept_paths(top, "instance", place),
        shared=_kept_paths(top, "shared", place),
        never=tuple(_never_path(table, place) for table in top.tables("never")),
    )
    if not (entry.persist or entry.instances or entry.shared or entry.includes or entry.note):
        raise top.error(None, "an entry without [[persist]] needs a note that says why")
    return entry


def _parse(file: str, text: str) -> dict[str, object]:
    try:
        plain = read_plain(text)
        return plain if plain is not None else tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        problem = _TOML_PLACE.sub("", str(error))
        raise CatalogueError(file, line, f"not TOML: {problem}") from error
    except ValueError as error:
        raise CatalogueError(file, 1, "a number of too many digits") from error
    except RecursionError as error:
        raise CatalogueError(file, 1, "nested too deeply") from error


def _kept_paths(top: Table, name: str, place: EntryPlace) -> tuple[KeptPath, ...]:
    kept: tuple[KeptPath, ...] = ()
    for table in top.tables(name):
        path = _kept_path(table, place, of_instance=name == "instance")
        if problem := nesting_problem(path, kept):
            raise table.error("path", problem)
        kept = (*kept, path)
    return kept


def _kept_path(table: Table, place: EntryPlace, *, of_instance: bool) -> KeptPath:
    table.only((*KEPT_KEYS, "each") if of_instance else KEPT_KEYS)
    path = _path(table, place, patterns=place is EntryPlace.HOME)
    for problem in (kept_problem(path), template_problem(path, wanted=of_instance)):
        if problem:
            raise table.error("path", problem)
    level = table.choice("level", Level)
    if level is None:
        raise table.error(None, "level is missing")
    each = table.option("each")
    if of_instance and each is None:
        raise table.error(None, "each is missing: which option names the instances?")
    return KeptPath(
        path=path,
        kind=table.choice("kind", Kind) or Kind.DIRECTORY,
        level=level,
        user=table.account("user"),
        group=table.account("group"),
        mode=table.mode("mode"),
        follows=_follows(table),
        before_follows=_before_follows(table, place),
        written=_written(table),
        early_boot=table.flag("early-boot"),
        since_state_version=table.version("since-state-version"),
        before_state_version=table.version("before-state-version"),
        elsewhere=_elsewhere(table, place),
        repos=table.count("repos", COUNTED_CONFIGURATIONS),
        note=table.text("note"),
        dump=_dump(table, place),
        each=each,
    )


def _never_path(table: Table, place: EntryPlace) -> NeverPath:
    table.only(NEVER_KEYS)
    path = _path(table, place, patterns=True)
    why = table.choice("why", NeverWhy)
    if why is None:
        raise table.error(None, "why is missing")
    return NeverPath(path=path, why=why, note=table.text("note"))


def _path(table: Table, place: EntryPlace, *, patterns: bool) -> bytes:
    text = table.required("path")
    problem = path_problem(text, place) or pattern_problem(text.encode(), allowed=patterns)
    if problem:
        raise table.error("path", problem)
    return text.encode()


def _elsewhere(table: Table, place: EntryPlace) -> tuple[bytes, ...]:
    paths = table.texts("elsewhere")
    for path in paths:
        problem = path_problem(path, place) or pattern_problem(path.encode(), allowed=True)
        if problem:
            raise table.error("elsewhere", problem)
    return tuple(path.encode() for path in paths)


def _before_follows(table: Table, place: EntryPlace) -> bytes | None:
    path = table.text("before-follows")
    if path is None:
        return None
    if table.option("follows") is None:
        raise table.error("before-follows", "before-follows says nothing without follows")
    if problem := path_problem(path, place):
        raise table.error("before-follows", problem)
    return path.encode()


def _dump(table: Table, place: EntryPlace) -> str | None:
    command = table.text("dump")
    if command is not None and place is EntryPlace.HOME:
        raise table.error("dump", "dump is for services: no list names those of home entries")
    return command


def _follows(table: Table) -> Follows | None:
    option = table.option("follows")
    prefix, suffix = table.text("follows-prefix"), table.text("follows-suffix")
    if option is None:
        for key in ("follows-prefix", "follows-suffix"):
            if key in table.values:
                raise table.error(key, f"{key} says nothing without follows")
        return None
    path = table.required("path")
    if not (path.startswith(prefix or "") and path.endswith(suffix or "")):
        raise table.error("follows", f"path {path!r} does not have the prefix and suffix given")
    return Follows(option=option, prefix=prefix or "", suffix=suffix or "")


def _written(table: Table) -> Written:
    written = table.choice("written", Written) or Written.IN_PLACE
    if written is not Written.IN_PLACE and table.values.get("kind") != Kind.FILE:
        raise table.error("written", "written is about files: a directory has none")
    return written
