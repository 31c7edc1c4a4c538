"""How right the advice is: real programs, recorded and compared with the truth about them.

Runs every program of a list (`programs.json` here, or that of an examples directory) by the
directory's `run-one.sh` under `imptrace run`, asks `imptrace recommend --format json` with and
without the catalogue, and prints a table in Markdown. A program's truth is a set of patterns:
what to persist, by level, and what never to.
A pattern covers the path and all below it; the longest matching one wins.

- *recall*: truths that are covered, at their own level or a higher one, by the deepest
  recommendation at or above them; or, where a truth is a directory, by recommendations that hold
  everything that the program left in it.
- *precision*: owned recommendations that are right: their deepest truth is to persist; or they are
  a directory around truths in which the program left nothing that has no truth.
- *level*: covered truths whose covering recommendation has exactly their level.
- *never*: recommendations whose deepest pattern is one of never.

Needs root, and a throw-away machine: the setups delete state directories. Example:
python benchmarks/accuracy.py --examples ../shared/examples --programs benchmarks/programs.json
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEVELS = ["transient", "normal", "important", "secret"]
GOALS = {"catalogue": (1.0, 0.95, 0.9), "alone": (0.9, 0.85, 0.8)}
RUN_TIMEOUT = 300


@dataclass(frozen=True)
class Truth:
    """One pattern of a program's truth; `level` is None for what must never be kept."""

    pattern: str
    level: str | None

    def covers(self, path: str) -> bool:
        """Whether the pattern matches `path` or something above it."""
        return _regex(self.pattern).match(path) is not None


@dataclass(frozen=True)
class Score:
    """What became of one advice."""

    recall: float
    precision: float
    level: float
    never: list[str]
    faults: list[str]

    def reaches(self, goal: tuple[float, float, float]) -> bool:
        """Whether every figure is good enough."""
        recall, precision, level = goal
        good = self.recall >= recall and self.precision >= precision and self.level >= level
        return good and not self.never


def main() -> int:
    """Record, ask, compare, print; 1 where a figure is not reached."""
    arguments = _arguments()
    programs = json.loads(_list_of(arguments).read_text())
    chosen = [each for each in programs if not arguments.only or each["id"] in arguments.only]
    arguments.databases.mkdir(parents=True, exist_ok=True)
    print(
        "| program | recall | precision | level | never | recall alone | precision alone |"
        " level alone | never alone |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    missed = []
    for program in chosen:
        database = arguments.databases / f"{program['id']}.db"
        if not arguments.reuse:
            _record(program, arguments, database)
        scores = {
            "catalogue": score(program, _ask(arguments, database, [])),
            "alone": score(program, _ask(arguments, database, ["--no-catalogue"])),
        }
        print("| " + " | ".join([program["id"], *_cells(scores.values())]) + " |", flush=True)
        missed += _missed(program["id"], scores)
    for line in missed:
        print(line, file=sys.stderr)
    return 1 if missed else 0


def score(program: dict[str, Any], answer: dict[str, Any]) -> Score:
    """Compare an answer with a program's truth."""
    truths = [
        *(Truth(path, level) for level in LEVELS for path in program["persist"].get(level, [])),
        *(Truth(path, None) for path in program["never"]),
    ]
    recommended = {each["path"]: each for each in answer["recommendations"]}
    left = program["left_after"]
    wanted = [truth for truth in truths if truth.level is not None]
    covering = {truth.pattern: _covering(truth, recommended, left) for truth in wanted}
    enough = [truth for truth in wanted if _is_enough(truth, covering[truth.pattern])]
    exact = [truth for truth in wanted if covering[truth.pattern] == truth.level]
    covered = [truth for truth in wanted if covering[truth.pattern] is not None]
    # What the catalogue only declares says nothing of the recording.
    seen = [each for each in answer["recommendations"] if each["observed"]]
    owned = [each["path"] for each in seen if each["scope"] == "owned"]
    wrong = [path for path in owned if not _is_right(path, truths, left)]
    never = [path for path in recommended if _is_never(path, truths)]
    return Score(
        recall=_share(len(enough), len(wanted)),
        precision=_share(len(owned) - len(wrong), len(owned)),
        level=_share(len(exact), len(covered)),
        never=never,
        faults=[
            *(f"missing {t.level} {t.pattern}" for t in wanted if t not in enough),
            *(f"wrong {path}" for path in wrong),
            *(
                f"level of {t.pattern} is {covering[t.pattern]}, not {t.level}"
                for t in covered
                if t not in exact
            ),
            *(f"never {path}" for path in never),
        ],
    )


def _covering(truth: Truth, recommended: dict[str, Any], left: Sequence[str]) -> str | None:
    """Tell at which level a truth is covered: the lowest, where several paths cover it."""
    exact = [path for path in recommended if _regex(truth.pattern, whole=True).match(path)]
    if exact:
        return str(recommended[exact[0]]["level"])
    above = _deepest(recommended, lambda path: _is_within(truth.pattern, path))
    if above is not None:
        return str(recommended[above]["level"])
    inside = [path for path in left if truth.covers(path)]
    holders = [
        _deepest(recommended, lambda path, each=each: _is_within(each, path)) for each in inside
    ]
    files = [
        holder
        for path, holder in zip(inside, holders, strict=True)
        if not any(_is_within(other, path) and other != path for other in left)
    ]
    if not files or None in files:
        return None
    return min((str(recommended[str(path)]["level"]) for path in files), key=LEVELS.index)


def _is_enough(truth: Truth, level: str | None) -> bool:
    if level is None or truth.level is None:
        return False
    return LEVELS.index(level) >= LEVELS.index(truth.level)


def _is_right(path: str, truths: Sequence[Truth], left: Iterable[str]) -> bool:
    best = _best(path, truths)
    if best is not None:
        return best.level is not None
    if not any(_is_within(truth.pattern, path) for truth in truths if truth.level):
        return False
    inside = [each for each in left if _is_within(each, path)]
    return all(
        _best(each, truths) is not None or any(_is_within(t.pattern, each) for t in truths)
        for each in inside
    )


def _is_never(path: str, truths: Sequence[Truth]) -> bool:
    best = _best(path, truths)
    return best is not None and best.level is None


def _best(path: str, truths: Sequence[Truth]) -> Truth | None:
    """Find the longest pattern that covers `path`."""
    return max(
        (truth for truth in truths if truth.covers(path)),
        key=lambda truth: len(truth.pattern),
        default=None,
    )


def _deepest(paths: Iterable[str], fits: Callable[[str], bool]) -> str | None:
    return max((path for path in paths if fits(path)), key=len, default=None)


def _is_within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + "/")


def _regex(pattern: str, *, whole: bool = False) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(text + ("$" if whole else "(?:/|$)"))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _list_of(arguments: argparse.Namespace) -> Path:
    found: Path = arguments.programs or arguments.examples / "programs.json"
    return found.absolute()


def _record(program: dict[str, Any], arguments: argparse.Namespace, database: Path) -> None:
    for old in database.parent.glob(f"{database.name}*"):
        old.unlink()
    trace = f"{arguments.imptrace} run --quiet --wait children --db {database} --"
    command = [arguments.examples / "run-one.sh", "-r", program["id"], trace]
    environment = os.environ | {"PROGRAMS_JSON": str(_list_of(arguments))}
    subprocess.run(
        ["flock", "/tmp/examples.lock", *command],
        check=True,
        env=environment,
        stdout=sys.stderr,
        timeout=RUN_TIMEOUT,
    )


def _ask(arguments: argparse.Namespace, database: Path, options: list[str]) -> dict[str, Any]:
    command = [arguments.imptrace, "recommend", "--db", database, "--format", "json", *options]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def _cells(scores: Iterable[Score]) -> Iterator[str]:
    for each in scores:
        yield from (f"{figure:.2f}" for figure in (each.recall, each.precision, each.level))
        yield str(len(each.never))


def _missed(program: str, scores: dict[str, Score]) -> list[str]:
    return [
        f"{program} ({name}): {'; '.join(each.faults)}"
        for name, each in scores.items()
        if not each.reaches(GOALS[name])
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--examples", type=Path, required=True, help="holds programs.json")
    parser.add_argument("--programs", type=Path, help="another list than that of --examples")
    parser.add_argument("--imptrace", default=str(Path(sys.executable).with_name("imptrace")))
    parser.add_argument("--databases", type=Path, default=Path("/tmp/imptrace-accuracy"))
    parser.add_argument("--reuse", action="store_true", help="ask about what was recorded before")
    parser.add_argument("only", nargs="*", metavar="ID", help="only these programs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
