"""What all trials share: a directory each, a program in it, and what is counted."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from shutil import rmtree

import typer

IMPTRACE = Path(sys.executable).with_name("imptrace")
PATIENCE = 240
RECORDERS = ("notify", "ptrace", "bpf") if os.geteuid() == 0 else ("notify", "ptrace")


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

    def show(self) -> None:
        """Print it all."""
        for what, tried in sorted(self.tried.items()):
            failed = sum(failure.startswith(f"{what}:") for failure in self.failures)
            typer.echo(f"{what:<44} {tried:6} tried {failed:6} failed")


class Places:
    """Makes directories, and removes what is done with."""

    def __init__(self, top: Path) -> None:
        """Make them below `top`."""
        self._top = top
        self._numbers = count()

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """Give an empty one."""
        place = self._top / str(next(self._numbers))
        place.mkdir()
        yield place
        rmtree(place, ignore_errors=True)


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


def ask(place: Path) -> dict[str, object] | str:
    """Ask for the newest run of a place; what went wrong instead, as text."""
    words = [str(IMPTRACE), "show", "latest", "--db", str(place / ".db"), "--json"]
    done = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE)
    said = done.stderr.decode(errors="replace").strip()
    if b"Traceback" in done.stderr or b"internal error" in done.stderr:
        return said
    if done.returncode:
        return f"exit {done.returncode}: {said}"
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def paths_of(place: Path) -> dict[str, dict[str, object]]:
    """Give what was recorded of each path. Raises RuntimeError."""
    answer = ask(place)
    if isinstance(answer, str):
        raise RuntimeError(answer)  # noqa: TRY004 (it is what went wrong)
    return {each["path"]: each for each in answer["paths"]}


def against_disk(place: Path) -> str | None:
    """Say which files are there and were not recorded."""
    try:
        seen = paths_of(place)
    except RuntimeError as error:
        return str(error)
    there = [entry for entry in place.rglob("*") if entry.name[0] != "."]
    missing = [str(entry) for entry in there if str(entry) not in seen]
    return f"not recorded: {' '.join(missing[:5])}" if missing else None


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until it is so; whether it became so in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
