"""`imptrace.leaks/1`: docs/json.md promises its shape."""

from datetime import UTC, datetime
from typing import Literal, TypedDict

from imptrace.kept.gaps import Gap
from imptrace.kept.leaks.model import Answer, Leak
from imptrace.kept.wiped import FileSystem
from imptrace.kept.writers import Writer
from imptrace.render.reasons import in_words
from imptrace.render.run_json import PathNameJson, path_name, plain_text

_NANOSECONDS = 1_000_000_000


class FileSystemJson(PathNameJson):
    """A file system, or a directory that was named, and why it is thought to be wiped."""

    fstype: str
    why: str


class WriterJson(TypedDict):
    """Who wrote a path, as far as is known."""

    program: str | None
    unit: str | None
    user: str | None
    last: str | None


class LeakReasonJson(TypedDict):
    """Why the path is listed, and at its level."""

    code: str
    text: str


class LeakJson(PathNameJson):
    """One directory or file that the next boot takes."""

    kind: str
    size: int
    files: int
    mtime: str
    level: str
    scope: str
    user: str
    writers: list[WriterJson]
    attributed: str | None
    option: str | None
    reasons: list[LeakReasonJson]


class GapJson(TypedDict):
    """A time in which a recording missed something."""

    since: str
    until: str | None
    lost: int


class LeaksSetAsideJson(PathNameJson):
    """A path that was set aside."""

    why: str


class LeaksAnswer(TypedDict):
    """The whole answer."""

    schema: Literal["imptrace.leaks/1"]
    roots: list[FileSystemJson]
    stores: list[PathNameJson]
    leaks: list[LeakJson]
    set_aside: dict[str, int]
    set_aside_paths: list[LeaksSetAsideJson]
    gaps: list[GapJson]


def leaks(answer: Answer) -> LeaksAnswer:
    """Write an answer."""
    return {
        "schema": "imptrace.leaks/1",
        "roots": [_file_system(each) for each in answer.roots],
        "stores": [path_name(each) for each in answer.stores],
        "leaks": [_leak(each) for each in answer.leaks],
        "set_aside": {str(why): count for why, count in sorted(answer.counts.items())},
        "set_aside_paths": [
            {**path_name(each.path), "why": str(each.why)} for each in answer.set_aside
        ],
        "gaps": [gap_json(each) for each in answer.gaps],
    }


def gap_json(gap: Gap) -> GapJson:
    """Write when a record misses something."""
    return {
        "since": moment(gap.since_ns),
        "until": None if gap.until_ns is None else moment(gap.until_ns),
        "lost": gap.lost,
    }


def moment(nanoseconds: int) -> str:
    """Write a time as docs/json.md promises; one that no calendar has as the nearest that has."""
    seconds = min(max(nanoseconds // _NANOSECONDS, -62_135_596_800), 253_402_300_799)
    micros = nanoseconds % _NANOSECONDS // 1000
    return (
        datetime.fromtimestamp(seconds, tz=UTC)
        .replace(microsecond=micros)
        .isoformat(timespec="microseconds")
    )


def _file_system(each: FileSystem) -> FileSystemJson:
    return {**path_name(each.path), "fstype": each.fstype, "why": each.why}


def writer_json(writer: Writer) -> WriterJson:
    """Write who wrote a path."""
    return {
        "program": None if writer.program is None else plain_text(writer.program),
        "unit": writer.unit,
        "user": writer.user,
        "last": None if writer.last_ns is None else moment(writer.last_ns),
    }


def _leak(leak: Leak) -> LeakJson:
    return {
        **path_name(leak.path),
        "kind": leak.kind.value,
        "size": leak.size,
        "files": leak.files,
        "mtime": moment(leak.mtime_ns),
        "level": leak.level.value,
        "scope": leak.scope.value,
        "user": leak.user,
        "writers": [writer_json(each) for each in leak.writers],
        "attributed": None if leak.attributed is None else leak.attributed.value,
        "option": leak.option,
        "reasons": [{"code": str(each.code), "text": in_words(each)} for each in leak.reasons],
    }
