"""python -m benchmarks.torture: what happens to programs under imptrace when all goes wrong.

Each trial runs a program untraced and recorded, and holds the two against each other: the exit
code, the output, and, where imptrace lived to the end, the record against the disk. What was tried
and what failed goes to stdout. --rounds and --seconds make it as long as wanted.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

IMPTRACE = Path(sys.executable).with_name("imptrace")
TRACEES = Path(__file__).parent.parent / "tests/tracer/tracees"
PATIENCE = 120

PROGRAMS = {
    "shell": "for i in 1 2 3 4 5 6; do (sleep .0$i; mkdir -p d/$i; cd d/$i && echo $i > a && mv a"
    " b) & done; wait; find d -type f | sort | xargs cat | cksum",
    "make": "printf 'all: a b c d\\n%%: ; @sleep .05; echo $@ > $@\\n' > Makefile; make -sj4;"
    " cat a b c d | cksum",
    "git": "git init -q r; cd r; for i in 1 2 3; do echo $i > f; git add f; git -c user.name=x -c"
    " user.email=x@example.org commit -qm $i; done; cd ..; git clone -q r c; cat c/f",
    "sqlite": "for i in 1 2 3 4 5; do python3 -c \"import sqlite3; c = sqlite3.connect('db');"
    " c.execute('create table if not exists t(x)'); c.execute('insert into t values ($i)');"
    ' c.commit()"; done; python3 -c "import sqlite3;'
    " print(sqlite3.connect('db').execute('select sum(x) from t').fetchone())\"",
    "daemon": "(setsid sh -c 'sleep .3; echo late > late' &) ; echo started > started; sleep .6;"
    " cat started late",
}
LIMITS = {
    "20 descriptors": "ulimit -n 20", "64 descriptors": "ulimit -n 64",
    "no stdin": "exec <&-", "no stdout": "exec >&-", "nothing open": "exec <&- >&- 2>&-",
    "ignored signals": "trap '' HUP INT QUIT TERM", "1 MB stack": "ulimit -s 1024",
}  # fmt: skip
RANDOM = """
import os, random, sys
chance = random.Random(int(sys.argv[1])); names = [f"{a}{b}" for a in "xyz" for b in range(3)]
def path(): return "/".join(chance.sample(names, chance.randint(1, 2)))
for _ in range(300):
    a, b = path(), path()
    act = chance.choice([
        lambda: os.mkdir(a), lambda: open(a, "w").write("x"), lambda: os.rename(a, b),
        lambda: os.unlink(a), lambda: os.symlink(b, a), lambda: os.link(a, b),
        lambda: os.rmdir(a), lambda: os.chmod(a, 0o700), lambda: open(a).read(),
    ])
    try: act()
    except OSError: pass
"""


@dataclass
class Tally:
    """What was tried, and what failed of it."""

    tried: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def note(self, what: str, failure: str | None) -> None:
        """Count one trial."""
        self.tried[what] = self.tried.get(what, 0) + 1
        if failure:
            self.failures.append(f"{what}: {failure}")
            typer.echo(f"FAILED {what}: {failure}", err=True)


def main(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often each trial is made.")] = 20,
    seconds: Annotated[float, typer.Option(help="How long each storm of signals lasts.")] = 10,
    short: Annotated[bool, typer.Option(help="Only some of it, as the tests do.")] = False,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 0,
) -> None:
    """Try, tell what failed, and end with 1 if anything did."""
    chance = random.Random(seed)
    tally = Tally()
    if short:
        for kinds in (PROGRAMS, LIMITS):
            for name in list(kinds)[1:-1]:
                del kinds[name]
    with tempfile.TemporaryDirectory(prefix="imptrace-torture-") as top:
        places = (Path(top, str(number)) for number in range(1_000_000))
        for number in range(rounds):
            for trial in (kills, limits, random_operations):
                trial(tally, places, chance, number)
        signals(tally, places, seconds)
    for what, count in tally.tried.items():
        failed = sum(failure.startswith(f"{what}:") for failure in tally.failures)
        typer.echo(f"{what:<40} {count:6} tried {failed:6} failed")
    raise typer.Exit(bool(tally.failures))


def kills(tally: Tally, places: Iterator[Path], chance: random.Random, _: int) -> None:
    """SIGKILL of imptrace at a random moment: the program ends as untraced."""
    for name, script in PROGRAMS.items():
        expected = run(["sh", "-c", script], fresh(places)).stdout
        output = killed_under(fresh(places), script, chance.random() * 0.8)
        tally.note(f"killed under {name}", None if output == expected else f"wrote {output!r}")


def killed_under(place: Path, script: str, delay: float) -> bytes:
    """Kill imptrace some time after the program began; give what the program wrote in the end."""
    result = place / ".out"
    with result.open("wb") as out:
        imptrace = subprocess.Popen(
            recorded(place, "sh", "-c", f"{script}; echo end"),
            cwd=place, stdout=out, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: started(place), PATIENCE)
        time.sleep(delay)
        imptrace.kill()
        imptrace.wait()
    wait_for(lambda: result.read_bytes().endswith(b"end\n"), PATIENCE)
    return result.read_bytes().removesuffix(b"end\n")


def started(place: Path) -> bool:
    """Whether the program has made anything."""
    return any(entry.name[0] != "." for entry in place.iterdir())


def limits(tally: Tally, places: Iterator[Path], _: random.Random, __: int) -> None:
    """Few descriptors, closed ones, ignored signals: exit code and files as ever."""
    script = (
        "for i in 1 2 3 4 5 6 7 8; do (sleep .1; echo > $i.a; mv $i.a $i.b) & done; wait; exit 7"
    )
    for name, prelude in LIMITS.items():
        place = fresh(places)
        words = recorded(place, "sh", "-c", script)
        done = run(["bash", "-c", f'{prelude}; "$@"', "bash", *words], place)
        failure = f"exit {done.returncode}" if done.returncode != 7 else against_disk(place)
        tally.note(name, failure)


def random_operations(tally: Tally, places: Iterator[Path], chance: random.Random, _: int) -> None:
    """Three hundred random operations: what is there was recorded."""
    for recorder in ("notify", "ptrace"):
        place = fresh(places)
        seed = str(chance.randrange(1 << 30))
        run(recorded(place, "python3", "-c", RANDOM, seed, recorder=recorder), place)
        failure = against_disk(place)
        tally.note(f"random operations, {recorder}", failure and f"seed {seed}: {failure}")


def signals(tally: Tally, places: Iterator[Path], seconds: float) -> None:
    """Count calls that failed with EINTR under a timer of 1 kHz."""
    place = fresh(places)
    program = place / ".interrupts"
    source = TRACEES / "interrupts.c"
    run(["gcc", "-O1", "-pthread", "-o", str(program), str(source)], place)
    done = run(recorded(place, str(program), str(seconds)), place, seconds + PATIENCE)
    calls = sum(int(line.split()[1]) for line in done.stdout.decode().splitlines())
    typer.echo(f"{calls:,} calls under a storm of signals: {done.stdout.decode().strip()!r}")
    tally.note("storm of signals", None if done.returncode == 0 else done.stdout.decode())


def against_disk(place: Path) -> str | None:
    """Say which files are there and were not recorded."""
    words = [str(IMPTRACE), "show", "latest", "--db", str(place / ".db"), "--json"]
    seen = {each["path"] for each in json.loads(run(words, place).stdout)["paths"]}
    there = [entry for entry in place.rglob("*") if entry.name[0] != "."]
    missing = [str(entry) for entry in there if str(entry) not in seen]
    return f"not recorded: {' '.join(missing[:5])}" if missing else None


def fresh(places: Iterator[Path]) -> Path:
    """Make the next directory."""
    place = next(places)
    place.mkdir()
    return place


def recorded(place: Path, *words: str, recorder: str = "notify") -> list[str]:
    """Give the command line that records into a database of this place."""
    options = ["-q", "--recorder", recorder, "--wait", "children", "--db", str(place / ".db")]
    return [str(IMPTRACE), "run", *options, "--", *words]


def run(
    words: list[str], place: Path, patience: float = PATIENCE
) -> subprocess.CompletedProcess[bytes]:
    """Run a command there."""
    return subprocess.run(
        words, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, check=False, timeout=patience, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until it is so; whether it became so in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


if __name__ == "__main__":
    typer.run(main)
