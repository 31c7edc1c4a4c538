"""Random sequences of file operations: the recorders agree with each other and with the disk."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from directories import Found, contents, really_changed
from fuzzing import budget
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from imptrace.db.records import Effect
from imptrace.tracer.events import Op, Outcome
from story.builds import SOURCES
from story.declared import Row, Story, difference
from story.recorders import RECORDERS, by_strace, details_of, told_below

INSIDE = "in/in/in"
"""Below a sequence's own directory: `..` must not lead into that of another."""
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
# --here would follow each symbolic link as it was left, in calls before it was made too.
OWN_RECORDERS = RECORDERS | {"strace": by_strace()}
AT_REMOVEDIR, AT_SYMLINK_FOLLOW = 0x200, 0x400


class Step(NamedTuple):
    """One line for tracees/interpret.c; `.` stands where a word does not matter."""

    what: str
    slot: int = -1
    path: str = "."
    slot2: int = -1
    path2: str = "."
    number: int = 0

    def __str__(self) -> str:
        return " ".join(map(str, self))


_names = st.sampled_from("aabbcd")
_paths = st.one_of(
    _names,
    _names,
    st.builds("{}/{}".format, st.sampled_from("ddc"), _names),
    st.builds("d/../{}".format, _names),
    st.builds("../{}".format, _names),
    st.builds("./{}".format, _names),
    st.builds("{}/".format, _names),
)
_texts = st.one_of(_names, st.sampled_from(["../a", "d/b", "d/../c", ".", "..", "/nowhere"]))
_slots = st.integers(0, 3)
_places = st.one_of(st.just(-1), st.just(-1), _slots)
_access = st.sampled_from([os.O_RDONLY, os.O_WRONLY, os.O_RDWR])
_details = st.sampled_from(
    [0, 0, os.O_CREAT, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_TRUNC, os.O_APPEND,
     os.O_CREAT | os.O_TRUNC, os.O_NOFOLLOW, os.O_DIRECTORY, os.O_CREAT | os.O_DIRECTORY,
     os.O_CREAT | os.O_NOFOLLOW]
)  # fmt: skip
_flags = st.builds(int.__or__, _access, _details)
_steps = st.one_of(
    st.builds(partial(Step, "open"), _places, _paths, _slots, number=_flags),
    st.builds(partial(Step, "open"), _places, _paths, _slots, number=_flags),
    st.builds(partial(Step, "open"), st.just(-1), st.sampled_from([".", "d"]), _slots,
              number=st.sampled_from([os.O_RDONLY, os.O_TMPFILE | os.O_RDWR])),
    st.builds(partial(Step, "write"), _slots, number=st.integers(0, 9)),
    st.builds(partial(Step, "read"), _slots),
    st.builds(partial(Step, "close"), _slots),
    st.builds(partial(Step, "dup"), _slots, slot2=_slots),
    st.builds(partial(Step, "mkdir"), _places, _paths),
    st.builds(partial(Step, "remove"), _places, _paths,
              number=st.sampled_from([0, 0, AT_REMOVEDIR])),
    st.builds(partial(Step, "rename"), _places, _paths, _places, _paths,
              st.sampled_from([0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE])),
    st.builds(partial(Step, "link"), _places, _paths, _places, _paths,
              st.sampled_from([0, AT_SYMLINK_FOLLOW])),
    st.builds(partial(Step, "name"), _slots, slot2=_places, path2=_paths),
    st.builds(partial(Step, "symlink"), st.just(-1), _texts, _places, _paths),
    st.builds(partial(Step, "truncate"), st.just(-1), _paths, number=st.integers(0, 9)),
    st.builds(partial(Step, "chmod"), _places, _paths, number=st.sampled_from([0o700, 0o755])),
    st.builds(partial(Step, "fchmod"), _slots, number=st.sampled_from([0o700, 0o755])),
    st.builds(partial(Step, "chdir"), st.just(-1), st.one_of(_paths, st.just(".."))),
    st.builds(partial(Step, "fchdir"), _slots),
)  # fmt: skip
Sequence = list[Step]


def _generate(count: int) -> list[Sequence]:
    """Make sequences. To record each one by itself, and to shrink it, would take too long."""
    made = []

    @settings(budget(count), phases=[Phase.generate])
    @given(st.lists(_steps, min_size=3, max_size=25))
    def collect(sequence: Sequence) -> None:
        made.append(sequence)

    collect()
    return made


class Happened(NamedTuple):
    """What one recorder told of a sequence, and what really became of its directory."""

    told: Story
    changed: dict[bytes, Effect]
    touched: set[bytes]
    """Paths at which the same object has another ctime."""


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compile the program that performs sequences."""
    program = tmp_path_factory.mktemp("program") / "interpret"
    source = SOURCES / "interpret.c"
    command = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-o", str(program), str(source)]
    subprocess.run(command, check=True, timeout=60)
    return str(program)


def _prepare(work: Path, sequences: list[Sequence], interpreter: str) -> str:
    """Make the directory of each sequence; returns the script of sh that performs them."""
    lines = []
    for number, sequence in enumerate(sequences):
        top = work / str(number) / INSIDE
        (top / "d").mkdir(parents=True)
        (top / "a").write_text("given")
        steps = work.with_name(f"{number}.steps")
        steps.write_text("".join(f"{step}\n" for step in sequence))
        words = (interpreter, str(work / str(number)))
        lines.append(f"(cd {shlex.quote(str(top))} && exec {shlex.join(words)}) <{steps} || exit 1")
    return "\n".join(lines)


def _ctimes(found: dict[bytes, Found]) -> dict[bytes, int]:
    return {path: os.lstat(path).st_ctime_ns for path in found}


def _perform(
    recorder: str, sequences: list[Sequence], interpreter: str, place: Path
) -> Iterator[Happened]:
    work = place / "work"
    work.mkdir(parents=True)
    (place / "script").write_text(_prepare(work, sequences, interpreter))
    before = contents(work)
    times = _ctimes(before)
    OWN_RECORDERS[recorder](("sh", str(place / "script")), work, place / "runs.db")
    details = details_of(place / "runs.db")
    after = contents(work)
    changed, later = really_changed(before, after), _ctimes(after)
    for number in range(len(sequences)):
        own = os.fsencode(work / str(number))
        top = os.fsencode(work / str(number) / INSIDE)
        records = [record for record in details.paths if record.path.startswith(own + b"/")]
        told = told_below(details, records, top, asks=False)
        yield Happened(
            replace(told, rows=set(map(_nameless, told.rows))),
            {
                os.path.relpath(path, top): effect
                for path, effect in changed.items()
                if path.startswith(own + b"/")
            },
            {os.path.relpath(path, top) for path in times if later.get(path) != times[path]},
        )


def _nameless(row: Row) -> Row:
    """Leave out the number that the kernel gives a file without a name."""
    path, to, origin = (
        name and re.sub(rb"#\d+(?: \(deleted\))?(?=/)", b"#", name)
        for name in (row.path, row.to, row.origin)
    )
    return row._replace(path=path or b"", to=to, origin=origin)


def _as_a_log_tells(rows: set[Row], sequence: Sequence) -> set[tuple[Op, bytes]]:
    """Keep what was done and what a log is sure of.

    Success does not tell whether an open made the file or found content. Where a path that failed
    would have led is anybody's guess. And only a log tells the name of a file that got it by its
    descriptor.
    """
    unsure = {Op.CREATE, Op.READ, Op.TRUNCATE}
    if {"name", "fchmod"} <= {step.what for step in sequence}:
        unsure.add(Op.CHMOD)
    return {
        (row.op, row.path) for row in rows if row.outcome is Outcome.OK and row.op not in unsure
    }


def _disagreement_with_the_disk(happened: Happened) -> str:
    told = {
        path: effect
        for path, effect in happened.told.effects.items()
        if effect is not Effect.UNCHANGED
    }
    # A new ctime counts as a change of what may have been written, even if it has its old content.
    same_again = {
        path
        for path in told.keys() - happened.changed.keys()
        if told[path] is Effect.MODIFIED and path in happened.touched
    }
    told = {path: told[path] for path in told.keys() - same_again}
    return "" if told == happened.changed else f"effects: {told}, but really {happened.changed}"


def _disagreements(sequence: Sequence, happened: dict[str, Happened]) -> str:
    ptrace = happened["ptrace"]
    real, strace = ptrace.told.rows, happened["strace"].told.rows
    logged = _as_a_log_tells(real, sequence) ^ _as_a_log_tells(strace, sequence)
    found = {
        "strace and ptrace": str(logged or ""),
        "ptrace and the disk": _disagreement_with_the_disk(ptrace),
    }
    for name in ("bpf", "service", "notify"):
        found[f"{name} and ptrace"] = difference(real, happened[name].told.rows)
        found[f"{name} and the disk"] = _disagreement_with_the_disk(happened[name])
    return "\n".join(f"{who}:\n{what}" for who, what in found.items() if what)


def test_recorders_agree_on_random_operations(interpreter: str, tmp_path: Path) -> None:
    """The same rows with the foretold and the real outcome, and the effects that the disk shows."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    sequences = _generate(200)
    told = zip(
        *(_perform(name, sequences, interpreter, tmp_path / name) for name in OWN_RECORDERS),
        strict=True,
    )
    wrong = [
        (sequence, words)
        for sequence, happened in zip(sequences, told, strict=True)
        if (words := _disagreements(sequence, dict(zip(OWN_RECORDERS, happened, strict=True))))
    ]
    if wrong:
        sequence, words = min(wrong, key=lambda each: len(each[0]))
        steps = "\n".join(map(str, sequence))
        pytest.fail(f"{len(wrong)} of {len(sequences)}, the shortest:\n{steps}\n{words}")
