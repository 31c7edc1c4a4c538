"""Looks for trouble with random input for as long as one likes.

    python -m benchmarks.fuzz --minutes N

The tests that use tests/fuzzing.py, each time with other input and four times as much of it as
in the test suite: hostile logs, databases and records, and random file operations under all
recorders. Stops at the first failure, which pytest shows.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FACTOR = "4"


def files() -> list[str]:
    """Find the tests with random input."""
    tests = ROOT.glob("tests/**/test_*.py")
    return sorted(str(path) for path in tests if "from fuzzing import" in path.read_text())


def main() -> int:
    """Run them again and again; returns the exit code of pytest."""
    parser = argparse.ArgumentParser(description="Look for trouble with random input.")
    parser.add_argument("--minutes", type=float, default=10, help="for how long at least")
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--rootdir", str(ROOT), *files()]
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
        done = subprocess.run(
            [*command, f"--hypothesis-seed={time.time_ns()}"],
            cwd=ROOT, env=os.environ | {"IMPTRACE_FUZZ": FACTOR}, check=False,
        )  # fmt: skip
        if done.returncode:
            return done.returncode
    print(f"{rounds} rounds, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
