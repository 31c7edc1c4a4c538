"""The catalogue as JSON: `imptrace.services/1` and `imptrace.findings/1` (docs/json.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TypedDict

from imptrace.catalogue import Entry, KeptPath, NeverPath
from imptrace.catalogue.checking import Breach


class FollowsJson(TypedDict):
    """An option that moves a path."""

    option: str
    prefix: str
    suffix: str


class KeptJson(TypedDict):
    """One path that is worth keeping."""

    path: str
    kind: str
    level: str
    user: str | None
    group: str | None
    mode: str | None
    follows: FollowsJson | None
    each: str | None
    written: str
    early_boot: bool
    since_state_version: str | None
    before_state_version: str | None
    elsewhere: list[str]
    repos: int | None
    note: str | None
    dump: str | None


class NeverJson(TypedDict):
    """One path that must not be kept."""

    path: str
    why: str
    note: str | None


class EntryJson(TypedDict):
    """One entry; every key is always there."""

    id: str
    place: str
    title: str
    option: str | None
    enable: list[str]
    aliases: list[str]
    units: list[str]
    programs: list[str]
    user: str | None
    group: str | None
    dynamic_user: bool
    note: str | None
    known: str | None
    includes: list[str]
    persist: list[KeptJson]
    instances: list[KeptJson]
    shared: list[KeptJson]
    never: list[NeverJson]
    file: str


def services(entries: Sequence[Entry]) -> Mapping[str, object]:
    """Answer with entries in full."""
    return {"schema": "imptrace.services/1", "services": [_entry(entry) for entry in entries]}


def findings(found: Sequence[Breach]) -> Mapping[str, object]:
    """Answer with what a check of the catalogue found."""
    return {"schema": "imptrace.findings/1", "findings": [asdict(finding) for finding in found]}


def _entry(entry: Entry) -> EntryJson:
    return {
        "id": entry.id,
        "place": entry.place.value,
        "title": entry.title,
        "option": entry.option,
        "enable": list(entry.enable),
        "aliases": list(entry.aliases),
        "units": list(entry.units),
        "programs": list(entry.programs),
        "user": entry.user,
        "group": entry.group,
        "dynamic_user": entry.dynamic_user,
        "note": entry.note,
        "known": entry.known,
        "includes": list(entry.includes),
        "persist": [_kept(path) for path in entry.persist],
        "instances": [_kept(path) for path in entry.instances],
        "shared": [_kept(path) for path in entry.shared],
        "never": [_never(path) for path in entry.never],
        "file": entry.file,
    }


def _kept(kept: KeptPath) -> KeptJson:
    return {
        "path": kept.path.decode(),
        "kind": kept.kind.value,
        "level": kept.level.value,
        "user": kept.user,
        "group": kept.group,
        "mode": None if kept.mode is None else f"{kept.mode:04o}",
        "follows": None
        if kept.follows is None
        else {
            "option": kept.follows.option,
            "prefix": kept.follows.prefix,
            "suffix": kept.follows.suffix,
        },
        "each": kept.each,
        "written": kept.written.value,
        "early_boot": kept.early_boot,
        "since_state_version": kept.since_state_version,
        "before_state_version": kept.before_state_version,
        "elsewhere": [path.decode() for path in kept.elsewhere],
        "repos": kept.repos,
        "note": kept.note,
        "dump": kept.dump,
    }


def _never(never: NeverPath) -> NeverJson:
    return {"path": never.path.decode(), "why": never.why.value, "note": never.note}
