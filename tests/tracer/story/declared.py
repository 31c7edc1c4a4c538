"""What a tracee declares: the lines of the comment above it, or of its docstring.

    given   file dir/ link->target program* other=text    what is there before
    needs   root
    read    dir/file                            OP PATH: one call, which worked
    read    dir/file x3                         three calls
    delete  missing fails ENOENT
    rename  old -> new                          also: link, symlink NAME -> TEXT
    create  file [exclusive] by 2               flags of the access; by the second process
    make    file                                create and write, both [exclusive]
    carried new/file from old/file              renamed along with a directory above it
    process 2 child of 1                        or: image of, after an exec
    left    file created, other unchanged       of each path that a change was asked for
    log     LINE instead of LINE: REASON        where a log of strace cannot tell; or `nothing`
    log     may miss LINE, LINE: REASON         where that depends on strace
    bpf     left file modified instead of left file unchanged: REASON       may be told so by bpf

Paths are relative to the tracee's directory, with the escapes of C. `stat` is compared only for
tracees that declare one.
"""

import ast
import errno
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from imptrace.db.records import Effect
from imptrace.tracer.events import AccessFlag, Op, Outcome
from imptrace.tracer.syscalls import outcome_of

COMPARED_FLAGS = (
    AccessFlag.EXCLUSIVE
    | AccessFlag.TMPFILE
    | AccessFlag.EXCHANGE
    | AccessFlag.CARRIED
    | AccessFlag.PRIVATE_MOUNT
)
_C_TRACEE = re.compile(r"/\*\n((?: \*.*\n)*?) \*/\nTRACEE\((\w+)\)")
_ACCESS = re.compile(
    r"(?P<op>[a-z]+) +(?P<path>\S+)?(?: ?-> (?P<other>\S+))?(?: from (?P<origin>\S+))?"
    r"(?: fails (?P<error>E[A-Z]+))?(?: x(?P<count>\d+))?(?: \[(?P<flags>[a-z -]+)\])?"
    r"(?: by (?P<process>\d))?"
)
_LOG = re.compile(r"(?:(may miss )|(.+?) instead of )(.+?): .+")
_PROCESS = re.compile(r"(\d) (child|image) of (\d)")


class Row(NamedTuple):
    """What one process did to one path with one op."""

    process: int
    """The first of the tracee's processes that touched anything is 1."""
    op: Op
    path: bytes
    to: bytes | None
    origin: bytes | None
    outcome: Outcome
    errno: int
    """Of a failure that is neither missing nor denied."""
    flags: AccessFlag
    count: int


class Relation(NamedTuple):
    """How a process came from another."""

    process: int
    kind: str
    """child: forked. image: it was that one, until an exec."""
    other: int


@dataclass
class Story:
    """All that is told of a tracee."""

    rows: set[Row] = field(default_factory=set)
    effects: dict[bytes, Effect] = field(default_factory=dict)
    relations: set[Relation] = field(default_factory=set)


class Given(NamedTuple):
    """Something that is there before."""

    path: bytes
    kind: str
    """One of file, directory, link, program."""
    text: bytes
    """Content, or where the link leads."""


@dataclass
class Declaration:
    """What a tracee declares."""

    name: str
    given: list[Given]
    needs: set[str]
    lines: list[str]
    log: list[re.Match[str]]
    bpf: list[str] = field(default_factory=list)

    def story(self, *, log: bool) -> Story:
        """Give what must be told; `log`: as far as a log of strace can tell it."""
        lines = list(self.lines)
        for match in self.log if log else ():
            may_miss, instead, line = match.groups()
            if not may_miss:
                at = lines.index(line)
                lines[at : at + 1] = [] if instead == "nothing" else [instead]
        return told_by(lines)

    def may_miss(self) -> Story:
        """Give what a log of strace may lack."""
        return told_by([line for match in self.log if match[1] for line in match[3].split(", ")])

    def bpf_may_tell(self) -> dict[bytes, Effect]:
        """Give effects that the bpf recorder tells where it could not look before a change."""
        return told_by(self.bpf).effects

    @property
    def asks(self) -> bool:
        """Whether questions are part of its story."""
        return any(line.startswith("stat ") for line in self.lines)


def told_by(lines: list[str]) -> Story:
    """Take lines for what they declare."""
    story = Story()
    rows: list[Row] = []
    for line in lines:
        word, rest = line.split(" ", 1)
        if word == "left":
            path, effect = rest.split(" ")
            story.effects[_path(path)] = Effect(effect)
        elif word == "process":
            match = _PROCESS.fullmatch(rest)
            assert match, line
            story.relations.add(Relation(int(match[1]), match[2], int(match[3])))
        else:
            rows.extend(_rows(line))
    story.rows = folded(rows)
    return story


def folded(rows: Iterable[Row]) -> set[Row]:
    """Fold rows as the database does: one for each process, path and op."""
    found: dict[tuple[int, bytes, Op], Row] = {}
    for row in rows:
        key = (row.process, row.path, row.op)
        old = found.get(key)
        if old is not None:
            row = row._replace(  # noqa: PLW2901 (what both make together)
                to=row.to or old.to,
                origin=row.origin or old.origin,
                flags=row.flags | old.flags,
                count=row.count + old.count,
            )
        found[key] = row
    return set(found.values())


def declarations(source: Path) -> Iterator[Declaration]:
    """Read what the tracees of a source file declare."""
    text = source.read_text()
    if source.suffix == ".py":
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                yield declaration(node.name, ast.get_docstring(node) or "")
        return
    for comment, name in _C_TRACEE.findall(text):
        yield declaration(name, re.sub(r"^ \* ?", "", comment, flags=re.MULTILINE))


def declaration(name: str, text: str) -> Declaration:
    """Read the lines of one tracee, behind the first blank one."""
    made = Declaration(name, [], set(), [], [])
    for line in text.partition("\n\n")[2].splitlines():
        word, _, rest = (part.strip() for part in line.strip().partition(" "))
        if word == "given":
            made.given.extend(map(_given, rest.split()))
        elif word == "needs":
            made.needs.add(rest)
        elif word == "log":
            match = _LOG.fullmatch(_plain(rest))
            assert match, line
            made.log.append(match)
        elif word == "bpf":
            match = _LOG.fullmatch(_plain(rest))
            assert match, line
            made.bpf.append(match[2])
        elif word == "left":
            made.lines.extend(f"left {each}" for each in rest.split(", "))
        elif word:
            made.lines.append(_plain(f"{word} {rest}"))
    return made


def _plain(line: str) -> str:
    return re.sub(r" +", " ", line.strip())


def _path(text: str) -> bytes:
    value = ast.literal_eval(f"b'{text}'")
    assert isinstance(value, bytes)
    return value


def _given(text: str) -> Given:
    if "->" in text:
        name, _, target = text.partition("->")
        return Given(_path(name), "link", _path(target))
    if text.endswith("/"):
        return Given(_path(text[:-1]), "directory", b"")
    if text.endswith("*"):
        return Given(_path(text[:-1]), "program", b"#!/bin/cat\n")
    name, _, content = text.partition("=")
    return Given(_path(name), "file", content.encode() or b"given")


def _rows(line: str) -> Iterator[Row]:
    match = _ACCESS.fullmatch(line)
    assert match, line
    op, path = match["op"], _path(match["path"] or "")
    other = _path(match["other"]) if match["other"] else None
    number = getattr(errno, match["error"]) if match["error"] else 0
    outcome = outcome_of(number)
    flags = AccessFlag(0)
    for name in (match["flags"] or "").split():
        flags |= AccessFlag[name.upper().replace("-", "_")]
    row = Row(
        int(match["process"] or 1), Op.READ, path, None, None, outcome,
        number if outcome is Outcome.FAILED else 0, flags, int(match["count"] or 1),
    )  # fmt: skip
    if op == "make":
        exclusive = row._replace(flags=flags | AccessFlag.EXCLUSIVE)
        yield exclusive._replace(op=Op.CREATE)
        yield exclusive._replace(op=Op.WRITE)
    elif op == "carried":
        yield row._replace(
            op=Op.RENAME, origin=_path(match["origin"]), flags=flags | AccessFlag.CARRIED
        )
    elif op in ("rename", "link"):
        if path:
            yield row._replace(op=Op(op), to=other)
        yield row._replace(op=Op(op), path=other or b"", origin=path or None)
    else:
        yield row._replace(op=Op(op))


def difference(declared: set[Row], told: set[Row]) -> str:
    """Say in words what is missing and what is too much."""
    words = [f"declared, not told: {row}" for row in sorted(declared - told, key=repr)]
    words += [f"told, not declared: {row}" for row in sorted(told - declared, key=repr)]
    return "\n".join(words)
