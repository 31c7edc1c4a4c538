"""python -m benchmarks.storm: whether the machine's recorder keeps up with more than one does.

Writers make files as fast as they are told to, remove most of them again and leave one of fifty,
while `imptrace watch` records. Prints how many calls there were, how many records the kernel had to
drop and whether each is stored as a gap with its time, and how many of the files that were left are
in the record; the size of the database, and the peak memory. With --kills, kills the recorder so
often meanwhile, and looks whether any call of a writer failed. Exit 1 where something is missing
that was not counted.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.report import print_machine, print_row
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import RunStatus

IMPTRACE = str(Path(sys.executable).with_name("imptrace"))
CALLS_OF_A_FILE = 2
WRITER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* DIRECTORY FILES_PER_SECOND SECONDS: prints how many it made, how many calls failed. */
int main(int argc, char **argv)
{
	double start = now(), rate = atof(argv[2]), seconds = atof(argv[3]);
	long made = 0, failed = 0;
	char name[64];

	if (argc != 4 || chdir(argv[1]))
		return 2;
	while (now() - start < seconds) {
		if (made > (now() - start) * rate) {
			usleep(200);
			continue;
		}
		for (int i = 0; i < 50; i++, made++) {
			int fd;

			snprintf(name, sizeof(name), "%ld.%s", made, i ? "passing" : "left");
			fd = open(name, O_CREAT | O_WRONLY | O_EXCL, 0600);
			failed += fd < 0 || close(fd);
			failed += i && unlink(name);
		}
	}
	printf("%ld %ld\n", made, failed);
	return 0;
}
"""


def main() -> int:
    """Parse, storm, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200_000, help="calls in a second, of all")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="imptrace-storm-") as place:
        return _storm(Path(place), options)


def _watch(place: Path) -> subprocess.Popen[str]:
    words = ("--path", str(place / "work"), "--db", str(place / "runs.db"))
    watch = subprocess.Popen([IMPTRACE, "watch", *words], text=True, stderr=subprocess.PIPE)
    if watch.stderr is None or "watching" not in watch.stderr.readline():
        sys.exit("it does not watch")
    return watch


def _storm(place: Path, options: argparse.Namespace) -> int:
    (place / "writer.c").write_text(WRITER)
    writer = str(place / "writer")
    subprocess.run(["gcc", "-O2", "-o", writer, f"{writer}.c"], check=True)
    watch = _watch(place)
    rate = options.rate / CALLS_OF_A_FILE / options.writers
    writers = []
    for number in range(options.writers):
        work = place / "work" / str(number)
        work.mkdir(parents=True)
        words = [writer, str(work), str(rate), str(options.seconds)]
        writers.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
    for _ in range(options.kills):
        time.sleep(random.uniform(0, 1))
        watch.kill()
        watch.wait()
        watch = _watch(place)
    said = [each.communicate()[0].split() for each in writers]
    made, failed = (sum(int(each[i]) for each in said) for i in (0, 1))
    peak = _peak(watch.pid)
    watch.send_signal(signal.SIGINT)
    _, last_words = watch.communicate()
    if watch.returncode:
        sys.exit(f"it failed: {last_words}")
    calls = made * CALLS_OF_A_FILE
    print_row("calls", f"{calls:,}", f"{calls / options.seconds:,.0f} in a second")
    print_row("calls that failed", f"{failed:,}", f"{options.kills:,} kills")
    print_row("peak memory", f"{peak / 1e6:.0f} MB")
    return failed or (_examine(place, options.kills) if options.kills else _compare(place))


def _examine(place: Path, kills: int) -> int:
    """Whether the database is sound, and says of each run that was killed that it was."""
    with closing(sqlite3.connect(place / "runs.db")) as raw:
        sound = raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with reading(str(place / "runs.db")) as engine:
        runs = queries.runs(engine)
        pauses = queries.pauses(engine)
    said = sum(run.status is RunStatus.INTERRUPTED for run in runs)
    print_row("runs", f"{len(runs):,}", f"{said:,} said to be interrupted, {len(pauses):,} pauses")
    print_row("database", "sound" if sound else "damaged")
    return int(not sound or said != kills)


def _compare(place: Path) -> int:
    left = {os.fsencode(path) for path in (place / "work").rglob("*.left")}
    with reading(str(place / "runs.db")) as engine:
        details = queries.run_details(engine, 1)
    recorded = {record.path for record in details.paths}
    gaps = [gap for gap in details.gaps if gap.count]
    lost = sum(gap.count for gap in gaps)
    timed = all(gap.since is not None and gap.until is not None for gap in gaps)
    missing = len(left - recorded)
    print_row("lost", f"{lost:,}", f"in {len(gaps)} gaps, each with its time: {timed}")
    print_row("files left", f"{len(left):,}", f"{missing:,} of them not in the record")
    print_row("database", f"{(place / 'runs.db').stat().st_size / 1e6:.0f} MB")
    return int(missing > lost or not timed)


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return float(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    sys.exit(main())
