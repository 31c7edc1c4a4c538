"""Interrupt `imptrace move` at random moments: is anything lost, or half under its own name.

    python -m benchmarks.moves [COUNT]

Each round starts with an empty store or one that an earlier interruption left, and is killed with
SIGKILL after a random time, or meets a full file system (a tmpfs that is made smaller than what
is still to be copied, after the space was checked; root only). At the end of each story the command
is let through, and the copy compared byte by byte. The command runs in a fork of this process,
which has imported it: a start of its own would take most of the time.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imptrace.cli import app, asked
from imptrace.cli import move as _command
from imptrace.cli.work import move as _work

main_of_imptrace = app.main
PRELOADED = (asked, _command, _work)
FILES, BYTES = 400, 4000
LONGEST_STORY = 8


class Move:
    """`imptrace move SOURCE --store STORE` in a process of its own."""

    def __init__(self, source: Path, store: Path) -> None:
        self.pid = os.fork()
        self._code: int | None = None
        if not self.pid:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            sys.argv = ["imptrace", "move", str(source), "--store", str(store)]
            try:
                main_of_imptrace()
            except SystemExit as ended:
                os._exit(int(ended.code or 0))
            finally:
                os._exit(125)

    def poll(self) -> int | None:
        """Tell how it ended, None while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self) -> int:
        """Wait for its end."""
        while self.poll() is None:
            time.sleep(0.001)
        return self._code or 0


def digest_tree(top: Path) -> dict[str, bytes]:
    """Read every file below a directory."""
    return {
        str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()
    }


def main() -> None:
    """Interrupt, look, and count."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    random.seed(18)
    counts = dict.fromkeys(("killed", "killed while copying", "full", "ended", "half", "lost"), 0)
    with tempfile.TemporaryDirectory(prefix="imptrace-moves-") as directory:
        source = Path(directory, "source")
        source.mkdir()
        for number in range(FILES):
            (source / f"{number}").write_bytes(random.randbytes(random.randrange(2 * BYTES)))
        whole = digest_tree(source)
        while counts["killed"] + counts["full"] < wanted:
            _story(Path(directory, "store"), source, whole, counts)
            print(counts, file=sys.stderr, flush=True)
    print(", ".join(f"{number} {what}" for what, number in counts.items()))


def _story(store: Path, source: Path, whole: dict[str, bytes], counts: dict[str, int]) -> None:
    store.mkdir()
    on_tmpfs = os.geteuid() == 0
    if on_tmpfs:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", store], check=True)
    copy = Path(f"{store}{source}")
    try:
        for _ in range(random.randrange(1, LONGEST_STORY)):
            if on_tmpfs and random.random() < 0.2:
                _fill(store, source, counts)
            else:
                _kill(store, source, copy, counts)
            if copy.exists() and digest_tree(copy) != whole:
                counts["half"] += 1
            if digest_tree(source) != whole:
                counts["lost"] += 1
        process = Move(source, store)
        if process.wait() or digest_tree(copy) != whole:
            counts["lost"] += 1
    finally:
        if on_tmpfs:
            subprocess.run(["umount", store], check=True)
        shutil.rmtree(store)


def _kill(store: Path, source: Path, copy: Path, counts: dict[str, int]) -> None:
    """Kill it at any moment from its first copy on."""
    process = Move(source, store)
    part = copy.parent / f".{copy.name}.imptrace-part"
    while process.poll() is None and not part.exists():
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.12))
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
        counts["killed"] += 1
        counts["killed while copying"] += part.exists()
    else:
        counts["ended"] += 1
    process.wait()


def _fill(store: Path, source: Path, counts: dict[str, int]) -> None:
    """Let the file system become too small once the copying has begun."""
    process = Move(source, store)
    store_part = Path(f"{store}{source.parent}", f".{source.name}.imptrace-part")
    while process.poll() is None and not store_part.exists():
        time.sleep(0.001)
    used = shutil.disk_usage(store).used
    subprocess.run(
        ["mount", "-o", f"remount,size={used + 65536}", store],
        check=False,
        stderr=subprocess.DEVNULL,
    )
    code = process.wait()
    counts["full" if code else "ended"] += 1
    subprocess.run(["mount", "-o", "remount,size=64m", store], check=True)


if __name__ == "__main__":
    main()
