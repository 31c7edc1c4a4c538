"""python -m benchmarks.torture: what happens to programs under imptrace when all goes wrong.

Each trial runs a program untraced and recorded, and holds the two against each other: the exit
code, the output, and, where imptrace lived to the end, the record against the disk and against
strace. What was tried and what failed goes to stdout. `--only` takes parts of it, which together
take hours; --kills, --rounds, --seconds and --calls make each as long as wanted.
"""

import random
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.torture.kills import kills
from benchmarks.torture.limits import limits
from benchmarks.torture.operations import random_operations
from benchmarks.torture.storms import storms
from benchmarks.torture.trials import Places, Tally

PARTS = ("kills", "limits", "random", "storms")


def main(
    *,
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(PARTS)}.")] = None,
    killed: Annotated[int, typer.Option("--kills", help="How often imptrace is killed.")] = 1000,
    rounds: Annotated[int, typer.Option(help="How often starts and operations are tried.")] = 20,
    seconds: Annotated[float, typer.Option(help="How long a storm of signals lasts.")] = 10,
    calls: Annotated[int, typer.Option(help="How many calls the timer sees.")] = 1_000_000,
    jobs: Annotated[int, typer.Option(help="How many programs are killed at a time.")] = 2,
    short: Annotated[bool, typer.Option(help="Only some of it, as the tests do.")] = False,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 0,
) -> None:
    """Try, tell what failed, and end with 1 if anything did."""
    chance = random.Random(seed)
    tally = Tally()
    parts = set(only or PARTS)
    with tempfile.TemporaryDirectory(prefix="imptrace-torture-") as top:
        places = Places(Path(top))
        if "kills" in parts:
            kills(tally, places, chance, 5 if short else killed, jobs)
        for _ in range(1 if short else rounds):
            if "limits" in parts:
                limits(tally, places, short=short)
            if "random" in parts:
                random_operations(tally, places, chance)
        if "storms" in parts:
            storms(tally, places, seconds, 0 if short else calls, short=short)
    tally.show()
    raise typer.Exit(bool(tally.failures))


if __name__ == "__main__":
    typer.run(main)
