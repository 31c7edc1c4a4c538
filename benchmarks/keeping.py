"""Add paths to public configurations, and take them out again, and see what changes.

    python -m benchmarks.keeping DIRECTORY...

Each Nix file below the directories that keeps something (environment.persistence,
home.persistence, preservation.preserveAt) is a configuration of its own here: it is copied, a
directory and a file of the system and two directories of a home are added, Nix parses the result,
the lines of the diff are counted against those that a person would add, and taking the paths out
must give back the file as it was.
"""

import difflib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imptrace.contribute.keeping.evaluate import NotEvaluatedError, evaluation_alone
from imptrace.contribute.keeping.places import ListPlace, OwnOption
from imptrace.contribute.keeping.plan import ConfigurationChange, add, read_places, remove
from imptrace.errors import ImptraceError
from imptrace.facts.people import Home
from imptrace.judge.model import Recommendation
from imptrace.kept.lone_path import lone_path

MOST_LINES_MORE = 2
_ANYBODY = "ann"


def main() -> None:
    """Try every file that has a place."""
    counts: Counter[str] = Counter()
    for top in map(Path, sys.argv[1:]):
        before = counts["files"]
        files = [file for file in sorted(top.rglob("*.nix")) if file.is_file()]
        change = ConfigurationChange()
        found: dict[Path, list[ListPlace]] = {}
        for place in read_places(files, change):
            found.setdefault(place.file, []).append(place)
        for file, of_file in found.items():
            _try(file, of_file, change.own_options, counts)
        counts["repositories"] += bool(found)
        edited = counts["files"] > before
        counts["repositories with an edited file"] += edited
        print(f"{top.name}: {counts['files'] - before} of {len(found)} files edited")
    print(dict(counts))


def _wanted(found: list[ListPlace]) -> list[Recommendation]:
    """Think of a directory and a file of the system, and two directories of a home."""
    wanted = []
    if any(not place.of_home for place in found):
        wanted += [lone_path(b"/var/lib/imptrace-a"), lone_path(b"/etc/imptrace-b.conf")]
    users = [place.user or _ANYBODY for place in found if place.of_home and place.user != "root"]
    for user in users[:1]:
        name = _ANYBODY if "$" in user or not user.isalnum() else user
        home = Home(user=name, path=os.fsencode(f"/home/{name}"))
        for path in (".config/imptrace-c", ".local/share/imptrace-d"):
            each = lone_path(os.path.join(home.path, os.fsencode(path)))
            wanted.append(replace(each, home=home, user=name, group="users", mode=None))
    return wanted


def _try(
    file: Path, found: list[ListPlace], own: Sequence[OwnOption], counts: Counter[str]
) -> None:
    wanted = _wanted(found)
    counts["files with a place"] += 1
    with tempfile.TemporaryDirectory(prefix="imptrace-keeping-") as directory:
        copy = Path(directory, file.name)
        old = file.read_bytes()
        copy.write_bytes(old)
        change = add(wanted, [copy], None, own=own)
        for name, (_, text) in change.sources.items():
            name.write_bytes(text)
        if change.sources:
            _evaluate(file, change, own, counts)
        for each in change.placeless:
            counts["paths without a place in the file"] += 1
            print(f"{file}: no place for {os.fsdecode(each.path)}")
        if not change.sources:
            return
        counts["files"] += 1
        new = copy.read_bytes()
        parsed = subprocess.run(
            ["nix-instantiate", "--parse", str(copy)], capture_output=True, check=False
        )
        counts["parse"] += parsed.returncode == 0
        changed = [
            line
            for line in difflib.ndiff(old.decode().splitlines(), new.decode().splitlines())
            if line.startswith(("+ ", "- "))
        ]
        few = len(changed) <= len(wanted) + MOST_LINES_MORE * len(wanted)
        counts["diff is short"] += few
        counts["lines"] += len(changed)
        if not few:
            print(f"{file}: {len(changed)} lines\n" + "\n".join(changed))
        homes = {each.home.user: each.home.path for each in wanted if each.home is not None}
        undone = remove([each.path for each in wanted], [copy], homes, own)
        for name, (_, text) in undone.sources.items():
            name.write_bytes(text)
        same = _squeezed(copy.read_bytes()) == _squeezed(old)
        counts["removed again"] += same
        if not same:
            leftover = difflib.unified_diff(
                old.decode().splitlines(), copy.read_text().splitlines(), lineterm="", n=1
            )
            print(f"{file}: after --remove\n" + "\n".join(leftover))


def _evaluate(
    file: Path, change: ConfigurationChange, own: Sequence[OwnOption], counts: Counter[str]
) -> None:
    """Evaluate it where it stands in its repository; what that fetches is not there."""
    top = next((each for each in file.parents if (each / "flake.nix").exists()), file.parent)
    ((old, new),) = change.sources.values() if len(change.sources) == 1 else ((b"", b""),)
    try:
        evaluation_alone({file: (old, new)}, top, own)
    except NotEvaluatedError as error:
        counts["not evaluated"] += 1
        print(f"{file}: not evaluated: {error}")
    except ImptraceError as error:
        counts["evaluation refused"] += 1
        print(f"{file}: REFUSED: {error}")
    else:
        counts["only asked paths change"] += 1


def _squeezed(source: bytes) -> bytes:
    """Leave out white space and lists that --remove leaves empty."""
    return b"".join(source.split()).replace(b"directories=[];", b"").replace(b"files=[];", b"")


if __name__ == "__main__":
    main()
