"""What can be tried of another processor: it is built, and what needs no kernel of it runs.

User-mode qemu knows neither seccomp filters nor ptrace: that a program is recorded there is not
shown by this.
"""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "tracer"
CHECK = Path(__file__).parent / "tracees/filter_check.c"
COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
TABLES = (SOURCES / "native/filter.c", SOURCES / "native/calls.c")
FLAGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE")

needs_compiler = pytest.mark.skipif(not shutil.which(COMPILER), reason=f"needs {COMPILER}")


def checked(compiler: str, program: Path, *runner: str) -> list[str]:
    """Build the check of the filter's arithmetic, and run it; what it printed."""
    words = [compiler, *FLAGS, "-static", f"-I{SOURCES / 'native'}", "-o", str(program)]
    subprocess.run([*words, str(CHECK), *map(str, TABLES)], check=True, timeout=60)
    done = subprocess.run(
        [*runner, str(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def test_the_filter_says_what_is_wanted(tmp_path: Path) -> None:
    """For each traced call of each architecture, with arguments that matter."""
    assert checked("gcc", tmp_path / "here")[-1] == "0 wrong"


@needs_compiler
@pytest.mark.skipif(not shutil.which(EMULATOR), reason=f"needs {EMULATOR}")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="compares with x86-64")
def test_the_filter_of_the_other_one(tmp_path: Path) -> None:
    """The same there, and records have the same layout."""
    there = checked(COMPILER, tmp_path / "there", EMULATOR)
    assert there == checked("gcc", tmp_path / "here")


@needs_compiler
def test_all_of_it_is_built(tmp_path: Path) -> None:
    """Each source that needs no header of Python, without a warning; and the shim starts."""
    plain = [
        source
        for source in sorted(SOURCES.rglob("*.c"))
        if not source.name.endswith(".bpf.c") and "py_" not in source.read_text()
        and "Python.h" not in source.read_text() and "bpf" not in source.parts
    ]  # fmt: skip
    assert len(plain) > 20
    subprocess.run([COMPILER, *FLAGS, "-fsyntax-only", *map(str, plain)], check=True, timeout=60)
    if shutil.which(EMULATOR):
        shim = tmp_path / "shim"
        flags = [*FLAGS, "-ffreestanding", "-fno-pie", "-no-pie", "-fno-stack-protector", "-static"]
        words = [COMPILER, *flags, "-nostdlib", "-o", str(shim), str(SOURCES / "notify/shim.c")]
        subprocess.run([*words, *map(str, TABLES)], check=True, timeout=60)
        done = subprocess.run([EMULATOR, shim], capture_output=True, check=False, timeout=60)
        assert b"the shim is for the drop-ins" in done.stderr
