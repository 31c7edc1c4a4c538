"""SIGKILL of imptrace at a random moment: the program ends as untraced."""

import random
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.torture.programs import BROWSERS, WRITING, available
from benchmarks.torture.trials import PATIENCE, Places, Tally, ask, recorded, run, wait_for

LONGEST = {"firefox-esr": 6.0, "chromium": 4.0}
"""Seconds within which imptrace is killed."""
OTHERS_LONGEST = 0.8
BROWSER_EVERY = 8
"""A browser takes as long as many of the others together."""


def kills(tally: Tally, places: Places, chance: random.Random, trials: int, jobs: int) -> None:
    """Kill it so often, over all programs and both recorders whose processes outlive it."""
    with ThreadPoolExecutor(jobs) as pool:
        for what, failure in pool.map(lambda words: _kill(places, *words), _plan(chance, trials)):
            tally.note(what, failure)


def _plan(chance: random.Random, trials: int) -> Iterator[tuple[str, str, str, float]]:
    browsers = list(available(BROWSERS).items())
    others = list(WRITING.items())
    for number in range(trials):
        kinds = browsers if browsers and number % BROWSER_EVERY == BROWSER_EVERY - 1 else others
        name, script = kinds[number // (BROWSER_EVERY if kinds is browsers else 1) % len(kinds)]
        recorder = chance.choice(("notify", "notify", "ptrace", "bpf"))
        yield name, script, recorder, chance.random() * LONGEST.get(name, OTHERS_LONGEST)


_expected: dict[str, bytes] = {}


def _kill(
    places: Places, name: str, script: str, recorder: str, delay: float
) -> tuple[str, str | None]:
    what = f"killed under {name}, {recorder}"
    with places.fresh() as place:
        if name not in _expected:
            _expected[name] = run(["sh", "-c", script], place).stdout
    with places.fresh() as place:
        output = _killed_under(place, recorder, script, delay)
        if output != _expected[name]:
            return what, f"wrote {output!r} after {delay:.3f} s, not {_expected[name]!r}"
        answer = ask(place)
        trouble = answer if isinstance(answer, str) and not _is_known(answer) else None
    return what, trouble


def _is_known(answer: str) -> bool:
    """Whether nothing was stored before the end came: no database, or one without the run."""
    return "nothing is recorded yet" in answer or "no run is stored yet" in answer


def _killed_under(place: Path, recorder: str, script: str, delay: float) -> bytes:
    """Kill imptrace some time after the program began; give what the program wrote in the end."""
    result = place / ".out"
    with result.open("wb") as out:
        imptrace = subprocess.Popen(
            recorded(place, "sh", "-c", f"{script}; echo end", recorder=recorder),
            cwd=place, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: _started(place), PATIENCE)
        wait_for(lambda: imptrace.poll() is not None, delay)
        imptrace.kill()
        imptrace.wait()
    wait_for(lambda: result.read_bytes().endswith(b"end\n"), PATIENCE)
    return result.read_bytes().removesuffix(b"end\n")


def _started(place: Path) -> bool:
    """Whether the program has made anything."""
    return any(entry.name[0] != "." or entry.name == ".mozilla" for entry in place.iterdir())
