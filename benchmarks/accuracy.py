"""How right the advice is: real programs, recorded and compared with the truth about them.

Plays every program of a list (see `recipes.py`) under `imptrace run`, asks `imptrace recommend`
with and without the catalogue, and prints a table in Markdown (see `scoring.py` for its words).

A program is played in sessions: *first* after its setup, *continued* and *third* where the last
one stopped, and *wiped* after the setup once more, as after a reboot that kept nothing. Each asks
about all sessions so far; what stands is asked after the last one.

Of `further_programs.json` one half is held back: rules may be written with the other half in view
only. Which half a program is in follows from its name (`half_of`).

Needs root, and a throw-away machine: the setups delete state directories. Example:
python -m benchmarks.accuracy --programs benchmarks/further_programs.json --half view
"""

import argparse
import fcntl
import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import recipes
from benchmarks.scoring import Score, recorded, score

HERE = Path(__file__).parent
HALVES = ("view", "held-back")
GOALS = {"catalogue": (0.98, 0.95, 0.9), "alone": (0.98, 0.95, 0.85)}
SESSIONS = ("first", "continued", "third", "wiped")
_AFRESH = ("first", "wiped")
_LOCK = Path("/tmp/examples.lock")


def main() -> int:
    """Record, ask, compare, print; 1 where a mean does not reach its goal."""
    arguments = _arguments()
    chosen = [each for each in recipes.read(arguments.programs) if _is_chosen(each, arguments)]
    arguments.databases.mkdir(parents=True, exist_ok=True)
    if not arguments.reuse:
        recipes.enter_private_homes()
        for program in chosen:
            _record(program, arguments)
    missed = 0
    for session in arguments.sessions:
        print(f"\n### {session}\n\n| program | recorded | {_HEADS} |")
        print("| --- |" + " ---: |" * 9)
        missed += _table(chosen, session, arguments)
    return 1 if missed else 0


_HEADS = " | ".join(
    f"{word}{whom}"
    for whom in ("", " alone")
    for word in ("recall", "precision", "level", "careless, never")
)


def half_of(program: str) -> str:
    """Tell which half a program is in, by its name."""
    return HALVES[hashlib.sha256(program.encode()).digest()[0] & 1]


def _is_chosen(program: recipes.Recipe, arguments: argparse.Namespace) -> bool:
    if arguments.only:
        return program["id"] in arguments.only
    return arguments.half in (None, half_of(program["id"]))


def _table(programs: Sequence[recipes.Recipe], session: str, arguments: argparse.Namespace) -> int:
    """Print a row for each program and their means; tell how many means miss their goals."""
    found: list[tuple[float, dict[str, Score]]] = []
    for program in programs:
        database = arguments.databases / f"{program['id']}-{session}.db"
        if not database.exists():
            continue
        left = json.loads(database.with_suffix(".left").read_text())
        share = recorded(program, left, _seen(arguments, database))
        scores = {
            "catalogue": score(program, _ask(arguments, database, []), left),
            "alone": score(program, _ask(arguments, database, ["--no-catalogue"]), left),
        }
        found.append((share, scores))
        print(f"| {program['id']} | {share:.3f} | " + " | ".join(_cells(scores)) + " |", flush=True)
        if not arguments.blind:
            for name, each in scores.items():
                if each.faults:
                    print(f"{program['id']} ({name}): {'; '.join(each.faults)}", file=sys.stderr)
    return _means(found)


def _means(found: Sequence[tuple[float, dict[str, Score]]]) -> int:
    if not found:
        return 0
    cells, missed = [f"{sum(share for share, _ in found) / len(found):.3f}"], 0
    for name, goal in GOALS.items():
        scores = [each[name] for _, each in found]
        figures = [
            sum(getattr(each, word) for each in scores) / len(scores)
            for word in ("recall", "precision", "level")
        ]
        careless, never = sum(s.careless for s in scores), sum(len(s.never) for s in scores)
        missed += any(figure < least for figure, least in zip(figures, goal, strict=True))
        cells += [*(f"{figure:.3f}" for figure in figures), f"{careless}, {never}"]
    print(f"| **mean of {len(found)}** | " + " | ".join(cells) + " |")
    return missed


def _cells(scores: Mapping[str, Score]) -> Iterator[str]:
    for each in scores.values():
        yield from (f"{figure:.2f}" for figure in (each.recall, each.precision, each.level))
        yield f"{each.careless}, {len(each.never)}"


def _record(program: recipes.Recipe, arguments: argparse.Namespace) -> None:
    """Play the sessions of a program into one database, and keep a copy after each."""
    database = arguments.databases / f"{program['id']}.db"
    names = (program["id"], *(f"{program['id']}-{session}" for session in SESSIONS))
    for old in (old for name in names for old in database.parent.glob(f"{name}.*")):
        old.unlink()
    trace = f"{arguments.imptrace} run --quiet --wait children --db {database} --"
    mark = database.with_suffix(".mark")
    with _alone():
        for session in arguments.sessions:
            if session in _AFRESH:
                recipes.set_up(program)
            mark.write_text("")
            time.sleep(0.1)
            status = recipes.play(program, trace)
            left = _left(program, mark)
            copy = database.with_name(f"{program['id']}-{session}.db")
            copy.with_suffix(".left").write_text(json.dumps(left))
            subprocess.run(["sqlite3", database, f"vacuum into '{copy}'"], check=True)
            print(f"{program['id']} {session}: exit {status}, {len(left)} left", file=sys.stderr)


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for other benchmarks that use the same directories of the system."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _left(program: recipes.Recipe, mark: Path) -> list[str]:
    """List what was changed since `mark` and stands, where the program's truth lies."""
    paths = [path for paths in program["persist"].values() for path in paths]
    in_home = program["user"] == "alice"
    tops = {recipes.HOME if in_home else "/".join(path.split("/")[:4]) for path in paths}
    command = ["find", *sorted(tops), "-cnewer", str(mark)]
    found = subprocess.run(command, check=False, capture_output=True).stdout
    listed = found.decode("utf-8", "replace").splitlines()
    return sorted(path for path in listed if path != recipes.HOME)


def _seen(arguments: argparse.Namespace, database: Path) -> Iterator[str]:
    """Every path of all runs."""
    for run in _runs(database):
        answer = _imptrace(arguments, database, "show", run, "--all", "--reads", "--json")
        yield from (each["path"] for each in answer["paths"])


def _ask(arguments: argparse.Namespace, database: Path, options: list[str]) -> dict[str, Any]:
    """Ask about all runs, which may be those of several programs."""
    asked = ("recommend", *_runs(database), "--format", "json", *options)
    return _imptrace(arguments, database, *asked)


def _runs(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [str(each) for (each,) in connection.execute("select id from run order by id")]


def _imptrace(arguments: argparse.Namespace, database: Path, *words: str) -> dict[str, Any]:
    command = [arguments.imptrace, *words, "--db", str(database)]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    )
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", type=Path, default=HERE / "programs.json")
    parser.add_argument("--half", choices=HALVES, help="only this half of the programs")
    parser.add_argument("--sessions", type=lambda text: text.split(","), default=["first"])
    parser.add_argument("--imptrace", default=str(Path(sys.executable).with_name("imptrace")))
    parser.add_argument("--databases", type=Path, default=Path("/tmp/imptrace-accuracy"))
    parser.add_argument("--reuse", action="store_true", help="ask about what was recorded before")
    parser.add_argument("--blind", action="store_true", help="say no faults of single programs")
    parser.add_argument("only", nargs="*", metavar="ID", help="only these programs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
