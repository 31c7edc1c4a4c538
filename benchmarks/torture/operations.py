"""Random operations: what is on the disk was recorded, and what strace saw."""

import os
import random
from pathlib import Path

from oracle import strace_story

from benchmarks.torture.programs import RANDOM
from benchmarks.torture.trials import (
    RECORDERS,
    Places,
    Tally,
    against_disk,
    paths_of,
    recorded,
    run,
)

CHANGING = frozenset(
    [
        "write",
        "create",
        "truncate",
        "rename",
        "link",
        "symlink",
        "mkdir",
        "delete",
        "chmod",
        "chown",
        "utime",
        "xattr",
        "bind",
    ]
)
LINKS = RANDOM.replace("LINK", "os.symlink")
# strace does not tell what a symbolic link led to at the time: the witness looks afterwards.
PLAIN = RANDOM.replace("LINK", "os.link")


def random_operations(tally: Tally, places: Places, chance: random.Random) -> None:
    """Three hundred of them under each recorder, twice."""
    for recorder in RECORDERS:
        seed = str(chance.randrange(1 << 30))
        with places.fresh() as place:
            run(recorded(place, "python3", "-c", LINKS, seed, recorder=recorder), place)
            failure = against_disk(place)
            tally.note(f"random, the disk, {recorder}", failure and f"seed {seed}: {failure}")
        with places.fresh() as place, places.fresh() as other:
            run(recorded(place, "python3", "-c", PLAIN, seed, recorder=recorder), place)
            failure = _against_strace(place, other, seed)
            tally.note(f"random, strace, {recorder}", failure and f"seed {seed}: {failure}")


def _against_strace(place: Path, other: Path, seed: str) -> str | None:
    """Hold the record of `place` against what strace sees in `other`."""
    story = strace_story(["python3", "-c", PLAIN, seed], other / ".log", other)
    top, here = os.fsencode(other) + b"/", f"{place}/"
    touched, attributed = (
        {os.fsdecode(path.removeprefix(top)) for path in paths if path.startswith(top)}
        for paths in (story.touched, story.attributed)
    )
    try:
        seen = {
            path.removeprefix(here): each
            for path, each in paths_of(place).items()
            if path.startswith(here) and CHANGING & set(each["ops"])
        }
    except RuntimeError as error:
        return str(error)
    sure = {path for path, each in seen.items() if each["outcome"] == "ok"}
    if missing := touched - seen.keys():
        return f"only strace saw {sorted(missing)[:5]}"
    # Carried along with a directory, a path was named by no call.
    below = {path for path in sure if any(path.startswith(f"{name}/") for name in touched)}
    if more := sure - touched - attributed - below:
        return f"strace did not see {sorted(more)[:5]}"
    return None
