"""Signals all the time: no call fails with EINTR that never does."""

import shutil
from pathlib import Path

import typer

from benchmarks.torture.programs import STORMS
from benchmarks.torture.trials import PATIENCE, RECORDERS, Places, Tally, recorded, run

TRACEES = Path(__file__).parents[2] / "tests/tracer/tracees"
CHILDREN_A_SECOND = 60


def storms(tally: Tally, places: Places, seconds: float, calls: int, *, short: bool) -> None:
    """Under a timer of 1 kHz, at least so many calls in all; and under ends of children."""
    for recorder in RECORDERS[: 1 if short else None]:
        _timer(tally, places, recorder, seconds, calls)
        if short:
            continue
        for name, words in STORMS.items():
            if shutil.which(words[0]):
                _children(tally, places, recorder, name, int(seconds * CHILDREN_A_SECOND))


def _timer(tally: Tally, places: Places, recorder: str, seconds: float, calls: int) -> None:
    made = failed = 0
    while not made or made < calls:
        with places.fresh() as place:
            program = place / ".interrupts"
            source = TRACEES / "interrupts.c"
            run(["gcc", "-O1", "-pthread", "-o", str(program), str(source)], place)
            words = recorded(place, str(program), str(seconds), recorder=recorder)
            done = run(words, place, seconds + PATIENCE)
        lines = [line.split() for line in done.stdout.decode().splitlines()]
        made += sum(int(line[1]) for line in lines)
        failed += sum(int(line[5]) for line in lines)
        ended = done.returncode == 0 and len(lines) == 2
        tally.note(f"timer of 1 kHz, {recorder}", None if ended else repr(done))
    typer.echo(f"{made:,} calls under a timer of 1 kHz, {recorder}: {failed} failed with EINTR")


def _children(tally: Tally, places: Places, recorder: str, name: str, count: int) -> None:
    words = [word.replace("COUNT", str(count)) for word in STORMS[name]]
    with places.fresh() as place:
        done = run(recorded(place, *words, recorder=recorder), place, 10 * PATIENCE)
    last = done.stdout.decode(errors="replace").splitlines()[-1:]
    typer.echo(f"SIGCHLD in {name}, {recorder}: EINTR and calls: {' '.join(last)}")
    right = done.returncode == 0 and last and last[0].split()[0] == "0"
    tally.note(f"SIGCHLD in {name}, {recorder}", None if right else repr(done))
