"""Add paths to public configurations, and take them out again, and see what changes.

    python -m benchmarks.keeping DIRECTORY...

Each Nix file below the directories that keeps something (environment.persistence,
home.persistence, preservation.preserveAt) is a configuration of its own here: it is copied, a
directory and a file of the system and two directories of a home are added, `nix-instantiate` parses
the result, its value is compared where it can be evaluated with stand-ins, the lines of the diff
are counted against those that a person would add, and `--remove` must give back the file as it was.
"""

import difflib
import os
import pwd
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from imptrace.contribute.keeping.places import places
from imptrace.contribute.nix_source.tree import NixSyntaxError

IMPTRACE = Path(sys.executable).with_name("imptrace")
MOST_LINES_MORE = 2


def main() -> None:
    """Try every file that has a place."""
    counts: Counter[str] = Counter()
    for top in sys.argv[1:]:
        for file in sorted(Path(top).rglob("*.nix")):
            try:
                found = places(file.read_bytes(), file)
            except (NixSyntaxError, OSError):
                continue
            if found:
                _try(file, {place.of_home for place in found}, counts)
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
        done = _keep(copy, *wanted)
        if "no place" in done.stderr:
            counts["without a place for one of them"] += 1
            return
        counts["configurations"] += 1
        if done.returncode:
            counts["refused"] += 1
            print(f"{file}: {done.stderr.strip()}")
            return
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
        _keep(copy, "--remove", *wanted)
        same = _squeezed(copy.read_bytes()) == _squeezed(old)
        counts["removed again"] += same
        if not same:
            leftover = difflib.unified_diff(
                old.decode().splitlines(), copy.read_text().splitlines(), lineterm="", n=1
            )
            print(f"{file}: after --remove\n" + "\n".join(leftover))


def _squeezed(source: bytes) -> bytes:
    """Leave out white space and lists that --remove leaves empty."""
    return b"".join(source.split()).replace(b"directories=[];", b"").replace(b"files=[];", b"")


def _keep(copy: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [IMPTRACE, "keep", *arguments, "--config", copy, "--yes"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ,
    )


if __name__ == "__main__":
    main()
