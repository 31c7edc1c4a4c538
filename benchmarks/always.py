"""python -m benchmarks.always: what a day of a desktop costs the recorder that is always on.

A day of two people is told to what stands behind the recorder (crowd, fold, writer), as fast as it
takes it in: browsers with their caches, journals and sessions, editors that save by renaming, a
compiler with its temporary files, git, shells and timers; the names and how many there are follow
real sessions. Prints the size of the database, the time of one processor that it took, as a share
of a day, and the peak memory. What the kernel and the decoding of its records take comes besides.
Exit 1 where a goal is missed.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.report import print_machine, print_row
from imptrace.db.crowd import Crowd
from imptrace.db.fold import Fold
from imptrace.db.recording_place import open_to_record
from imptrace.db.records import RunStart
from imptrace.db.statements import chunks
from imptrace.db.writer import RunWriter
from imptrace.tracer.events import (
    ABSENT,
    Access,
    Event,
    FileState,
    FileType,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
    RunScope,
)
from imptrace.tracer.snapshot import snapshots

DAY = 86_400
GOALS = {"MB": 100.0, "share": 0.01, "RSS": 60.0}
FILE = FileState(FileType.FILE, 4096, 0o600, 1000, 100, 1, 1, 1, 1)
COMMIT_EVENTS = 2000
"""Told between two commits: a busy half second."""

_numbers = count(1)


class Program:
    """One start of a program, and what it does."""

    def __init__(self, exe: str, home: str, uid: int, unit: str, parent: int | None = None) -> None:
        """Start it."""
        self.id = next(_numbers)
        self.start = ProcessStarted(
            process=self.id,
            parent=parent,
            previous=None,
            pid=self.id % 32768,
            exe=exe.encode(),
            argv=(exe.encode(), b"--user", home.encode()),
            cwd=home.encode(),
            uid=uid,
            gid=100,
            cgroup=unit.encode(),
            environ={"HOME": home.encode()},
            at=self.id,
        )

    def read(self, path: str) -> Access:
        """Read a file."""
        return Access(self.id, Op.READ, path.encode(), None, Outcome.OK, self.id)

    def make(self, path: str) -> Iterator[Event]:
        """Make a file and write it."""
        for op in (Op.CREATE, Op.WRITE):
            yield Access(self.id, op, path.encode(), None, Outcome.OK, self.id, before=ABSENT)

    def write(self, path: str) -> Access:
        """Write a file that is there."""
        return Access(self.id, Op.WRITE, path.encode(), None, Outcome.OK, self.id, before=FILE)

    def remove(self, path: str) -> Access:
        """Remove a file."""
        return Access(self.id, Op.DELETE, path.encode(), None, Outcome.OK, self.id, before=FILE)

    def save(self, path: str, through: str) -> Iterator[Event]:
        """Write a new file, and put it in the place of another."""
        yield from self.make(through)
        yield Access(
            self.id,
            Op.RENAME,
            through.encode(),
            path.encode(),
            Outcome.OK,
            self.id,
            before=FILE,
            before2=FILE,
        )


def day(chance: random.Random) -> Iterator[Event]:
    """Tell of a day, in some 1,400 turns of a minute."""
    people = [("/home/alice", 1000), ("/home/bob", 1001)]
    browsers = []
    for home, uid in people:
        unit = f"/user.slice/user-{uid}.slice/app-firefox-{uid}.scope"
        browser = Program("/usr/lib/firefox/firefox", home, uid, unit)
        yield browser.start
        browsers.append((browser, f"{home}/.mozilla/firefox/x1.default", home))
    cached: list[tuple[Program, str]] = []
    for minute in range(DAY // 60):
        for browser, profile, home in browsers:
            yield from browsing(browser, profile, home, chance, cached)
        for home, uid in people:
            yield from working(home, uid, minute, chance)
        yield from timers(minute, chance)


def browsing(
    browser: Program,
    profile: str,
    home: str,
    chance: random.Random,
    cached: list[tuple[Program, str]],
) -> Iterator[Event]:
    """Browse for a minute: 20 cache entries, journals of six databases, the session four times."""
    cache = f"{home}/.cache/mozilla/firefox/x1.default/cache2/entries"
    for _ in range(20):
        entry = f"{cache}/{chance.randbytes(20).hex().upper()}"
        yield from browser.make(entry)
        cached.append((browser, entry))
    while len(cached) > 15_000:
        owner, old = cached.pop(0)
        yield owner.remove(old)
    for name in ("places", "cookies", "favicons", "webappsstore", "formhistory", "storage"):
        yield from browser.make(f"{profile}/{name}.sqlite-journal")
        yield browser.write(f"{profile}/{name}.sqlite")
        yield browser.remove(f"{profile}/{name}.sqlite-journal")
    for _ in range(4):
        store = f"{profile}/sessionstore-backups/recovery.jsonlz4"
        yield from browser.save(store, f"{store}.tmp")
        yield from browser.save(f"{profile}/prefs.js", f"{profile}/prefs-{chance.randrange(99)}.js")


def working(home: str, uid: int, minute: int, chance: random.Random) -> Iterator[Event]:
    """Work for a minute: a shell with its prompts, an editor, git, and a compiler now and then."""
    unit = f"/user.slice/user-{uid}.slice/session-{minute}.scope"
    shell = Program("/usr/bin/bash", home, uid, unit)
    yield shell.start
    yield from shell.save(
        f"{home}/.bash_history", f"{home}/.bash_history-{chance.randrange(9999)}.tmp"
    )
    for _ in range(10):
        git = Program("/usr/bin/git", home, uid, unit, shell.id)
        yield git.start
        yield from git.save(f"{home}/src/project/.git/index", f"{home}/src/project/.git/index.lock")
        yield git.read(f"{home}/.gitconfig")
        yield ProcessExited(git.id, 0, git.id)
    editor = Program("/usr/bin/vim", home, uid, unit, shell.id)
    yield editor.start
    name = f"{home}/src/project/file{chance.randrange(60)}.c"
    yield from editor.make(f"{name}.swp")
    yield from editor.save(name, f"{home}/src/project/{chance.randrange(10_000)}")
    yield editor.remove(f"{name}.swp")
    if minute % 5 == 0:
        for _ in range(60):
            yield from compiling(home, uid, unit, shell.id, chance)
    yield ProcessExited(editor.id, 0, editor.id)
    yield ProcessExited(shell.id, 0, shell.id)


def compiling(
    home: str, uid: int, unit: str, parent: int, chance: random.Random
) -> Iterator[Event]:
    """Compile a file, through temporary ones, and commit an object now and then."""
    compiler = Program("/usr/bin/gcc", home, uid, unit, parent)
    yield compiler.start
    temporary = [f"/tmp/cc{chance.randbytes(4).hex()}.{end}" for end in ("s", "o", "ld")]
    for path in temporary:
        yield from compiler.make(path)
    yield from compiler.make(f"{home}/src/project/build/file{chance.randrange(60)}.o")
    for path in temporary:
        yield compiler.remove(path)
    digest = chance.randbytes(20).hex()
    if chance.random() < 0.1:
        git = Program("/usr/bin/git", home, uid, unit, parent)
        yield git.start
        top = f"{home}/src/project/.git/objects/{digest[:2]}"
        yield from git.save(f"{top}/{digest[2:]}", f"{top}/tmp_obj_{digest[:6]}")
    yield ProcessExited(compiler.id, 0, compiler.id)


def timers(minute: int, chance: random.Random) -> Iterator[Event]:
    """Let the system's services do what they do each minute."""
    for name in ("journald", "logrotate", "NetworkManager", "cron", "fstrim"):
        service = Program(f"/usr/lib/systemd/{name}", "/root", 0, f"/system.slice/{name}.service")
        yield service.start
        yield service.write(f"/var/log/{name}.log")
        state = f"/var/lib/{name}/state"
        yield from service.save(state, f"{state}.{chance.randbytes(3).hex()}")
        yield from service.make(f"/run/{name}/lock.{minute}")
        yield service.remove(f"/run/{name}/lock.{minute}")
        yield ProcessExited(service.id, 0, service.id)


def main() -> int:
    """Tell a day, and measure."""
    argparse.ArgumentParser(description=__doc__.split("\n", 1)[0]).parse_args()
    print_machine()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "runs.db"
        before, events = time.process_time(), 0
        crowd, fold = Crowd(), Fold(of_whole_machine=True)
        writer = RunWriter(open_to_record(place), _start(), (), fold)
        for batch in chunks(day(random.Random(1)), COMMIT_EVENTS):
            events += len(batch)
            fold.feed(crowd.of(batch))
            writer.commit()
        writer.finish(time.time_ns(), None, None, snapshots=snapshots(writer.changed_paths()))
        writer.close()
        share = (time.process_time() - before) / DAY
        size = sum(each.stat().st_size for each in place.parent.iterdir()) / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print_row("", "events", "database", "one processor", "peak memory")
    print_row("---", *["---:"] * 4)
    print_row("a day", f"{events:,}", f"{size:.0f} MB", f"{share:.2%}", f"{memory:.0f} MB")
    print_row("goal", "", "100 MB", "1 %", "60 MB")
    reached = size <= GOALS["MB"] and share <= GOALS["share"] and memory <= GOALS["RSS"]
    return 0 if reached else 1


def _start() -> RunStart:
    return RunStart(
        program=b"watch",
        argv=(b"imptrace", b"watch"),
        cwd=b"/",
        user="root",
        uid=0,
        host=os.uname().nodename,
        started_ns=time.time_ns(),
        recorder="bpf",
        scope=RunScope.MACHINE,
    )


if __name__ == "__main__":
    sys.exit(main())
