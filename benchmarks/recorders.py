"""The recorders that are compared, each as the command that stands before a program."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from imptrace.errors import ImptraceError
from imptrace.tracer.recorder import find_recorder

IMPTRACE = Path(sysconfig.get_path("scripts"), "imptrace")
STRACE_PY = Path(sysconfig.get_path("scripts"), "strace.py")


@dataclass(frozen=True)
class Recorder:
    """`prefix` gets a new, empty directory for what is recorded; `missing` says what lacks."""

    name: str
    prefix: Callable[[Path], list[str | Path]]
    missing: Callable[[], str | None]


def imptrace(recorder: str) -> Callable[[Path], list[str | Path]]:
    def prefix(output: Path) -> list[str | Path]:
        options: list[str | Path] = ["--quiet", "--recorder", recorder, "--db", output / "runs.db"]
        return [IMPTRACE, "run", *options, "--"]

    return prefix


def strace(output: Path) -> list[str | Path]:
    options = ["-f", "--seccomp-bpf", "-e", "trace=%file"]
    return ["strace", *options, "-o", output / "log", "--"]


def reprozip(output: Path) -> list[str | Path]:
    # The two options leave out what it does after the program's end: asking dpkg, and guessing.
    options = ["--dont-identify-packages", "--dont-find-inputs-outputs"]
    return ["reprozip", "trace", *options, "-d", output / "trace"]


def python_ptrace(output: Path) -> list[str | Path]:
    return [sys.executable, STRACE_PY, "-q", "-f", "--filename", "-o", output / "log", "--"]


def fsatrace(output: Path) -> list[str | Path]:
    return [os.environ.get("FSATRACE", "fsatrace"), "rwmdtq", output / "log", "--"]


def lacks_command(*names: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        absent = [name for name in names if shutil.which(name) is None]
        return f"{', '.join(absent)}: not installed" if absent else None

    return missing


def lacks_file(path: Path) -> Callable[[], str | None]:
    return lambda: None if path.exists() else f"{path.name}: not in {path.parent}"


def lacks_fsatrace() -> str | None:
    named = os.environ.get("FSATRACE")
    if named is None:
        return "the environment variable FSATRACE does not name it"
    return None if shutil.which(named) else f"FSATRACE={named} is not executable"


def lacks_bpf() -> str | None:
    """Say why bpf does not work here."""
    try:
        find_recorder("bpf").probe()
    except ImptraceError as error:
        return str(error)
    return None


OURS = ("bpf", "notify")
"""Those that are imptrace."""
UNTRACED = Recorder("untraced", lambda _: [], lambda: None)

RECORDERS = (
    UNTRACED,
    Recorder("bpf", imptrace("bpf"), lacks_bpf),
    Recorder("notify", imptrace("notify"), lacks_file(IMPTRACE)),
    Recorder("strace", strace, lacks_command("strace")),
    Recorder(
        "strace-pinned",
        lambda output: ["taskset", "-c", str(min(os.sched_getaffinity(0))), *strace(output)],
        lacks_command("strace", "taskset"),
    ),
    Recorder("reprozip", reprozip, lacks_command("reprozip")),
    Recorder("python-ptrace", python_ptrace, lacks_file(STRACE_PY)),
    Recorder("fsatrace", fsatrace, lacks_fsatrace),
)
