"""`imptrace watch`: the machine, or a part of it, and nothing waits for it."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from recorded_programs import IMPTRACE, NOBODY

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import RunDetails
from imptrace.errors import ImptraceError
from imptrace.tracer.bpf.recorder import load_machine
from imptrace.tracer.events import Op, RunScope
from imptrace.tracer.recorder import RecorderOptions

PATIENCE = 60


def _is_here() -> bool:
    try:
        load_machine(RecorderOptions()).close()
    except ImptraceError:
        return False
    return True


pytestmark = pytest.mark.skipif(
    not _is_here(), reason="the bpf recorder needs root, and to be built"
)


@contextmanager
def watching(database: Path, *words: str) -> Iterator[Callable[[], RunDetails]]:
    """Watch while something is done; gives a function that ends it and reads what was stored."""
    command = [str(IMPTRACE), "watch", "--db", str(database), *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as watch:
        assert watch.stderr is not None
        assert watch.stderr.readline().startswith("imptrace: watching ")

        def end() -> RunDetails:
            watch.send_signal(signal.SIGINT)
            assert watch.wait(PATIENCE) == 0
            with reading(str(database)) as engine:
                return queries.run_details(engine, 1)

        try:
            yield end
        finally:
            watch.kill()  # it may have ended


def done(details: RunDetails) -> set[tuple[Op, bytes]]:
    """Take what was done to which path."""
    return {(access.op, record.path) for record in details.paths for access in record.accesses}


def test_what_others_do_below_a_directory(tmp_path: Path) -> None:
    """Whoever started them, and whether they ran before; nothing of elsewhere."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    with subprocess.Popen(["sh"], stdin=subprocess.PIPE, cwd=tmp_path, text=True) as shell:
        assert shell.stdin is not None
        with watching(tmp_path / "runs.db", "--path", str(inside)) as end:
            shell.stdin.write("echo 1 > inside/a; mv inside/a inside/b; echo 1 > outside/c\n")
            shell.stdin.close()
            assert shell.wait(PATIENCE) == 0
            time.sleep(0.1)
            details = end()
    told = done(details)
    assert details.run.scope is RunScope.MACHINE
    top = bytes(inside)
    assert {(Op.CREATE, top + b"/a"), (Op.RENAME, top + b"/a"), (Op.RENAME, top + b"/b")} <= told
    assert all(path.startswith(top) for _, path in told)


def test_a_user_alone(tmp_path: Path, open_work: Path) -> None:
    """What another does at the same time is not recorded."""
    words = ("--user", "nobody", "--path", str(open_work))
    with watching(tmp_path / "runs.db", *words) as end:
        subprocess.run(["touch", str(open_work / "his")], check=True, user=NOBODY.pw_uid)
        subprocess.run(["touch", str(open_work / "ours")], check=True)
        details = end()
    assert {path for _, path in done(details)} == {bytes(open_work / "his")}


def test_a_new_run_follows_without_a_gap(tmp_path: Path) -> None:
    """What goes on, and what is done again, is told to each; nothing between them is lost."""
    work = tmp_path / "work"
    work.mkdir()
    counting = "n=0; while [ $n -lt 60 ]; do echo $n > at; echo > n.$n; n=$((n+1)); sleep .1; done"
    database = tmp_path / "runs.db"
    with watching(database, "--path", str(work), "--every", "2") as end:
        subprocess.run(["sh", "-c", counting], check=True, cwd=work)
        end()
    with reading(str(database)) as engine:
        runs = [queries.run_details(engine, run.id) for run in queries.runs(engine)]
        assert queries.pauses(engine) == []
    assert len(runs) > 2
    assert all(a.run.ended_ns == b.run.started_ns for a, b in pairwise(runs))
    made = [path for run in runs for op, path in done(run) if op is Op.CREATE]
    assert {path for path in made if b"/n." in path} == {
        b"%s/n.%d" % (bytes(work), n) for n in range(60)
    }
    full = [run for run in runs if (Op.CREATE, bytes(work / "n.30")) in done(run)]
    assert all((Op.WRITE, bytes(work / "at")) in done(run) for run in full)
    assert all(process.exe for run in runs for process in run.processes)


def test_a_pause_is_said_and_what_is_open_is_known(tmp_path: Path) -> None:
    """Who holds a file open to write wrote it, though that was before."""
    database, work = tmp_path / "runs.db", tmp_path / "work"
    work.mkdir()
    with watching(database, "--path", str(work)) as end:
        end()
    with subprocess.Popen(
        ["sh", "-c", "exec 5>held; read x"], cwd=work, stdin=subprocess.PIPE
    ) as sh:
        while not (work / "held").exists():
            time.sleep(0.01)
        with watching(database, "--path", str(work)) as end:
            end()
        sh.communicate(b"\n")
    with reading(str(database)) as engine:
        assert (Op.WRITE, bytes(work / "held")) in done(queries.run_details(engine, 2))
        (pause,) = queries.pauses(engine)
        first, second = queries.runs(engine)
    assert (pause.run, pause.since_ns, pause.until_ns) == (2, first.ended_ns, second.started_ns)
    command = [str(IMPTRACE), "runs", "--db", str(database)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert said.startswith("imptrace: nothing was recorded from ")


def test_it_needs_root_and_one_choice(tmp_path: Path) -> None:
    """Wrong words are said in one line."""
    words = [str(IMPTRACE), "watch", "--unit", "x", "--user", "nobody"]
    refused = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_directory_is_that_of_this_machine(tmp_path: Path) -> None:
    """What a container has mounted for itself at that name is another one; ours it may use."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "elsewhere").mkdir()
    script = (
        f"mount --bind {inside} {tmp_path}/elsewhere; mount -t tmpfs tmpfs {inside};"
        f"echo > {inside}/its-own; echo > {tmp_path}/elsewhere/ours"
    )
    with watching(tmp_path / "runs.db", "--path", str(inside)) as end:
        subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, timeout=PATIENCE)
        time.sleep(0.1)
        details = end()
    told = done(details)
    assert (Op.CREATE, bytes(inside / "ours")) in told
    assert not [path for _, path in told if b"its-own" in path]


def test_the_unit_of_what_has_ended_already(tmp_path: Path) -> None:
    """The control group is that of the process, though nobody could read it any more."""
    group = next(
        (top for top in map(Path, ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"))
         if (top / "cgroup.procs").exists()), None,
    )  # fmt: skip
    if group is None:
        pytest.skip("needs cgroup v2")
    group /= "imptrace-short.service"
    group.mkdir(exist_ok=True)
    work = tmp_path / "work"
    work.mkdir()
    script = f"echo $$ > {group}/cgroup.procs; for n in 1 2 3 4 5; do /bin/touch {work}/$n; done"
    try:
        with watching(tmp_path / "runs.db", "--path", str(tmp_path)) as end:
            subprocess.run(["sh", "-c", script], check=True, timeout=PATIENCE)
            time.sleep(0.1)
            details = end()
    finally:
        group.rmdir()
    groups = {process.cgroup for process in details.processes if process.exe == b"/usr/bin/touch"}
    assert groups == {b"/imptrace-short.service"}
