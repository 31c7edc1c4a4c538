"""Plays the recipes of `programs.json`: how a real program is set up, used and stopped.

A recipe is shell. `{TRACE}` in its `run` lines stands for a recorder's command, `$W` for a
directory of its own, and those that must reach nothing outside start themselves again in a
network of their own. Setups delete state directories: for throw-away machines, as root.

`python -m benchmarks.recipes --install programs.json` installs what they need.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Recipe = Mapping[str, Any]

WORK = Path("/tmp/it")
HOME = "/home/alice"
PROGRAMS = Path("/opt/programs")
"""Holds what is installed from PyPI (`PROGRAM/bin`) and npm (`npm/bin`)."""
_SLOWER = 4
_AT_LEAST = 30
"""A recorded session may take so many times as long as an unrecorded one, and so many seconds."""
_IN_NAMESPACE = "IMPTRACE_BENCH_NAMESPACE"


def enter_private_homes() -> None:
    """Go on in a mount namespace of one's own with an empty /home, so that several can play."""
    if _IN_NAMESPACE not in os.environ:
        os.environ[_IN_NAMESPACE] = "1"
        command = ["unshare", "-m", sys.executable, *sys.orig_argv[1:]]
        os.execvp(command[0], command)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/home"], check=True)


def play(recipe: Recipe, trace: str) -> int:
    """Play one session where the setup or the last session left the machine; its exit status."""
    work = WORK / recipe["id"]
    script = work / "run.sh"
    script.write_text("\n".join(_lines(recipe, trace, work)))
    token = f"IT_MARK=it-{recipe['id']}-{os.getpid()}"
    limit = recipe["seconds"] * _SLOWER + _AT_LEAST
    with (work / "run.log").open("wb") as log:
        process = subprocess.Popen(
            ["setsid", "-w", "timeout", "-k", "5", str(limit), "env", token, "bash", script],
            env=_environment(recipe["user"]),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=work,
        )
        status = process.wait()
    _end_leftovers(token)
    return status


def set_up(recipe: Recipe) -> None:
    """Make the machine one on which the program never ran."""
    work = WORK / recipe["id"]
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    WORK.chmod(0o755)
    work.chmod(0o1777)
    script = work / "setup.sh"
    script.write_text("\n".join(["set -e", f"cd {work}", f"export W={work}", *recipe["setup"]]))
    subprocess.run(["bash", script], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def _lines(recipe: Recipe, trace: str, work: Path) -> Iterator[str]:
    prefix = f"{trace} runuser -u alice --" if recipe["user"] == "alice" else trace
    yield from (f"cd {work}", f"export W={work}")
    yield from (line.replace("{TRACE}", prefix.strip()) for line in recipe["run"])
    stop = recipe["stop"]
    yield from ("rc=$?", *([stop] if isinstance(stop, str) else stop), "wait", "exit $rc", "")


def _environment(user: str) -> dict[str, str]:
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "SHELL": "/bin/bash",
        "HOME": HOME if user == "alice" else "/root",
        "USER": user,
        "LOGNAME": user,
    }


def _end_leftovers(token: str) -> None:
    """End what a session left running, and only that: its environment has the token."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = list(_processes_with(token.encode()))
        for each in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)
        if not left:
            return
        time.sleep(1)


def _processes_with(token: bytes) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if token in variables:
            yield int(process.name)


def install(recipes: Sequence[Recipe]) -> None:
    """Install what the recipes need from Debian, PyPI and npm."""
    debian = _named(recipes, "packages")
    apt = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *debian]
    subprocess.run(apt, check=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    for recipe in recipes:
        if recipe.get("pypi"):
            place = PROGRAMS / recipe["pypi"][0]
            subprocess.run(["/usr/bin/python3", "-m", "venv", place], check=True)
            subprocess.run([place / "bin/pip", "install", "-q", *recipe["pypi"]], check=True)
    npm = ["npm", "install", "-g", "--prefix", str(PROGRAMS / "npm"), *_named(recipes, "npm")]
    subprocess.run(npm, check=True)


def _named(recipes: Iterable[Recipe], kind: str) -> list[str]:
    return sorted({name for recipe in recipes for name in recipe.get(kind, ())})


def read(path: Path) -> list[Recipe]:
    """Read a list of recipes."""
    found: list[Recipe] = json.loads(path.read_text())
    return found


if __name__ == "__main__":
    install(read(Path(sys.argv[sys.argv.index("--install") + 1])))
