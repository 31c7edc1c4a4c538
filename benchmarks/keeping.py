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
import pwd
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from imptrace.contribute.keeping.evaluate import NotEvaluatedError, evaluation
from imptrace.contribute.keeping.places import places
from imptrace.contribute.keeping.plan import ConfigurationChange, add, remove
from imptrace.contribute.nix_source.tree import NixSyntaxError
from imptrace.errors import ImptraceError
from imptrace.kept.lone_path import homes, lone_path

MOST_LINES_MORE = 2


def main() -> None:
    """Try every file that has a place."""
    counts: Counter[str] = Counter()
    for top in sys.argv[1:]:
        before = counts["files"]
        for file in sorted(Path(top).rglob("*.nix")):
            try:
                found = places(file.read_bytes(), file)
            except (NixSyntaxError, OSError):
                continue
            if found:
                _try(file, {place.of_home for place in found}, counts)
        counts["repositories with an edited file"] += counts["files"] > before
    print(dict(counts))


def _try(file: Path, of_home: set[bool], counts: Counter[str]) -> None:
    person = next(each for each in pwd.getpwall() if 1000 <= each.pw_uid < 60000)
    wanted = []
    if False in of_home:
        wanted += ["/var/lib/imptrace-a", "/etc/imptrace-b.conf"]
    if True in of_home:
        wanted += [
            f"{person.pw_dir}/.config/imptrace-c",
            f"{person.pw_dir}/.local/share/imptrace-d",
        ]
    with tempfile.TemporaryDirectory(prefix="imptrace-keeping-") as directory:
        copy = Path(directory, file.name)
        old = file.read_bytes()
        copy.write_bytes(old)
        change = _keep(copy, wanted)
        if change.sources:
            _evaluate(file, change, counts)
        if change.placeless:
            counts["files without a place for one of them"] += 1
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
        _take_out(copy, wanted)
        same = _squeezed(copy.read_bytes()) == _squeezed(old)
        counts["removed again"] += same
        if not same:
            leftover = difflib.unified_diff(
                old.decode().splitlines(), copy.read_text().splitlines(), lineterm="", n=1
            )
            print(f"{file}: after --remove\n" + "\n".join(leftover))


def _evaluate(file: Path, change: ConfigurationChange, counts: Counter[str]) -> None:
    """Evaluate it where it stands in its repository, as the command does."""
    top = next((each for each in file.parents if (each / "flake.nix").exists()), file.parent)
    ((old, new),) = change.sources.values() if len(change.sources) == 1 else ((b"", b""),)
    try:
        how = evaluation({file: (old, new)}, top)
    except NotEvaluatedError as error:
        counts["not evaluated"] += 1
        print(f"{file}: not evaluated: {error}")
    except ImptraceError as error:
        counts["evaluation refused"] += 1
        print(f"{file}: REFUSED: {error}")
    else:
        counts[f"only asked paths change ({how})"] += 1


def _squeezed(source: bytes) -> bytes:
    """Leave out white space and lists that --remove leaves empty."""
    return b"".join(source.split()).replace(b"directories=[];", b"").replace(b"files=[];", b"")


def _keep(copy: Path, wanted: list[str]) -> ConfigurationChange:
    """Do what the command does, without starting it anew for each of a hundred files."""
    change = add([lone_path(os.fsencode(path)) for path in wanted], [copy], None)
    for file, (_, new) in change.sources.items():
        file.write_bytes(new)
    return change


def _take_out(copy: Path, wanted: list[str]) -> None:
    change = remove([os.fsencode(path) for path in wanted], [copy], homes())
    for file, (_, new) in change.sources.items():
        file.write_bytes(new)


if __name__ == "__main__":
    main()
