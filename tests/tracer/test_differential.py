"""Real programs under imptrace and under strace: both tell the same, and the directory agrees."""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from directories import contents, really_changed
from oracle import Story, strace_story
from real_programs import CASES
from recorded_programs import Recorder

from imptrace.db.records import MAYBE_DONE, AccessRecord, Effect, PathRecord
from imptrace.tracer.events import AccessFlag, Op

MAKING = frozenset({Op.CREATE, Op.MKDIR, Op.LINK, Op.SYMLINK, Op.BIND})
WRITING = frozenset({Op.WRITE, Op.TRUNCATE})
ATTRIBUTES = frozenset({Op.CHMOD, Op.CHOWN, Op.UTIME, Op.XATTR})


class Names(NamedTuple):
    """Turns the paths of both stories into names that can be compared."""

    top: bytes
    random: re.Pattern[bytes]

    def plain(self, path: bytes) -> bytes | None:
        """Give a path relative to `top`, without what is random in it; None if not below."""
        if not path.startswith(self.top):
            return None
        return self.random.sub(b"*", path.removeprefix(self.top))

    def plain_all(self, paths: Iterable[bytes]) -> set[bytes]:
        """Do so for several paths."""
        return {name for name in map(self.plain, paths) if name is not None}

    def pairs(self, path: bytes, access: AccessRecord) -> Iterator[tuple[bytes, bytes]]:
        """Give the renames, as (old name, new name), that one row tells of."""
        name = self.plain(path)
        to = access.to and self.plain(access.to)
        origin = access.origin and self.plain(access.origin)
        if name and to:
            yield name, to
        if name and origin:
            yield origin, name

    def renamed(self, records: Iterable[PathRecord]) -> set[bytes]:
        """Give each name, old or new, of a rename that may have succeeded."""
        return self.plain_all(
            record.path
            for record in records
            for access in record.accesses
            if access.op is Op.RENAME and access.outcome in MAYBE_DONE
        )


class Told(NamedTuple):
    """Names below the directory, without what is random in them, by what was done to them."""

    made: set[bytes]
    written: set[bytes]
    renamed: set[tuple[bytes, bytes]]
    deleted: set[bytes]
    attributed: set[bytes]


# A record holds one row for each process, path and op, with the newest other name of a rename:
# `git stash` gives its index a name twice. Both names are recorded as renamed all the same.
OTHER_NAME_REPLACED = {"git-clone": {(b"s/.git/index.lock", b"s/.git/index.stash.*")}}

# git sets the time of an object that it has already, but only if a file of the work tree is as new
# as its index, by the second: one run may do so, and the other not.
ATTRIBUTED_BY_THE_CLOCK = dict.fromkeys(("git", "git-clone"), re.compile(rb"/objects/[0-9a-f]{2}/"))


def told_by_strace(story: Story, names: Names) -> Told:
    """Take what lies below the directory from the story of the witness."""
    pairs = {(names.plain(old), names.plain(new)) for old, new in story.renamed}
    return Told(
        names.plain_all(story.created),
        names.plain_all(story.written),
        {(old, new) for old, new in pairs if old is not None and new is not None},
        names.plain_all(story.deleted),
        names.plain_all(story.attributed),
    )


def told_by_imptrace(records: Iterable[PathRecord], names: Names) -> Told:
    """Take the changes that may have succeeded from the records of a run."""
    told = Told(set(), set(), set(), set(), set())
    for record in records:
        name = names.plain(record.path)
        if name is None:
            continue
        for access in record.accesses:
            if access.outcome not in MAYBE_DONE:
                continue
            if access.op is Op.RENAME:
                # With CARRIED a directory above it was renamed, and no call named this path.
                if AccessFlag.CARRIED not in access.flags:
                    told.renamed.update(names.pairs(record.path, access))
                continue
            if access.op is Op.LINK and access.to and not access.origin:
                continue  # it was there, and `to` is the name it was given
            for ops, kind in (
                (MAKING, told.made),
                (WRITING, told.written),
                ({Op.DELETE}, told.deleted),
                (ATTRIBUTES, told.attributed),
            ):
                if access.op in ops:
                    kind.add(name)
    return told


def start(work: Path) -> dict[str, str]:
    """Make a fresh home at the same place; returns the environment for a program in it."""
    if work.exists():
        shutil.rmtree(work)
    (work / "tmp").mkdir(parents=True)
    date = "2001-01-01T00:00:00Z"
    return {
        "PATH": os.environ["PATH"],
        "PYTHON": sys.executable,
        "HOME": str(work),
        "TMPDIR": str(work / "tmp"),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
        "SOURCE_DATE_EPOCH": "978307200",
    }


@pytest.mark.parametrize("name", CASES)
def test_a_program_is_told_as_strace_tells_it(
    name: str, record: Recorder, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All successes that strace saw are recorded, and the effects are those of the directory."""
    case = CASES[name]
    missing = [program for program in ("strace", *case.needs) if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if case.hides and os.geteuid() != 0:
        pytest.skip("a process of it can be read by root only")
    environment = start(work)
    before = contents(work)
    command = ["sh", "-c", case.script]
    result = record(*command, options=["--wait", "children"], cwd=work, env=environment)
    assert result.returncode == 0, result.stderr.decode()
    after, records = contents(work), record.paths(work)

    environment = start(work)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    story = strace_story(command, tmp_path / "log", work)
    names = Names(os.fsencode(work) + b"/", re.compile(case.random))
    again = names.plain_all(contents(work))
    assert names.plain_all(after) == again, "the program does not repeat itself"

    claimed = {
        path: seen.effect
        for path, seen in records.items()
        if seen.effect not in (None, Effect.UNCHANGED)
    }
    assert claimed == really_changed(before, after)

    strace, imptrace = told_by_strace(story, names), told_by_imptrace(records.values(), names)
    assert strace.made <= imptrace.made
    assert strace.written == imptrace.written
    assert strace.renamed - imptrace.renamed <= OTHER_NAME_REPLACED.get(name, set())
    assert {each for pair in strace.renamed for each in pair} <= names.renamed(records.values())
    assert strace.deleted <= imptrace.deleted
    by_the_clock = ATTRIBUTED_BY_THE_CLOCK.get(name, re.compile(rb"(?!)"))
    differently = strace.attributed ^ imptrace.attributed
    assert {path for path in differently if not by_the_clock.search(path)} == set()

    # And nothing more: of a file the witness knows only sometimes that the open made it.
    assert imptrace.made <= strace.made | strace.written
    assert imptrace.renamed <= strace.renamed
    assert imptrace.deleted <= strace.deleted
