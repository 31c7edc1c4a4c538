"""What `run --recorder ptrace` has in common with notify, and where it differs on purpose."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_programs import Recorder, as_ordinary_user

from imptrace.tracer.events import Op

PTRACE = ("--recorder", "ptrace")
SCRIPT = """
echo one > made; cat made > copy; mv copy moved; mkdir -p deep/er; ln -s made link; cat link
touch -d 2001-01-01 made; chmod 600 made; rm moved; cat missing; test -e link; rmdir deep/er
"""


@pytest.mark.parametrize("options", [(), ("--stats",), ("--writes-only",)], ids=" ".join)
def test_the_same_options(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Every path, operation, outcome and effect is that of the other recorder."""
    seen = []
    for recorder in ((), PTRACE):
        work = tmp_path / "work"
        work.mkdir()
        record = Recorder(tmp_path / f"{len(seen)}.db")
        record("sh", "-c", SCRIPT, options=(*recorder, *options), cwd=work)
        paths = record.paths(work)
        seen.append(
            {path: (dict(each.ops), each.outcome, each.effect) for path, each in paths.items()}
        )
        work.rename(tmp_path / f"work of {len(seen)}")
    assert seen[0] == seen[1]
    ops = {op for path_ops, *_ in seen[1].values() for op in path_ops}
    assert (Op.STAT in ops) == ("--stats" in options)
    assert (Op.READ in ops) == ("--writes-only" not in options)


def test_as_an_ordinary_user(open_work: Path) -> None:
    """Without any privilege: the same paths, operations and effects, by either recorder."""
    seen = []
    for recorder in ((), PTRACE):
        record = Recorder(open_work / f"{len(seen)}.db")
        script = f"mkdir again; cd again; {SCRIPT} cd ..; rm -r again"
        words = record.command("sh", "-c", script, options=recorder)
        done = as_ordinary_user(words, open_work / "home")
        assert b"Traceback" not in done.stderr
        paths = record.paths(open_work / "home")
        seen.append({path: (dict(each.ops), each.effect) for path, each in paths.items()})
        assert record.details().run.recorder == ("ptrace" if recorder else "notify")
    assert seen[0] == seen[1]
    assert Op.WRITE in seen[0][os.fsencode(open_work / "home/again/made")][0]


def test_listener_of_its_own(record: Recorder, compiled: Callable[..., Path]) -> None:
    """A program that answers notifications itself can, which notify does not allow."""
    assert record(str(compiled("listener")), options=PTRACE).stdout == b"there\n"


def test_io_uring(record: Recorder, compiled: Callable[..., Path]) -> None:
    """Refused as under notify, or let be, with a warning."""
    program = str(compiled("io_uring"))
    refused = record(program, options=PTRACE)
    assert refused.stdout == b"ENOSYS\n"
    allowed = record(program, options=(*PTRACE, "--io-uring"))
    assert allowed.stdout != refused.stdout
    assert list(dict(record.details().run.warnings)) == ["io_uring"]
