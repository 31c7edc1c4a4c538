"""The tracees as programs: built once, and put to work one after the other in one recording."""

import os
import platform
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from story.declared import Declaration, declarations

SOURCES = Path(__file__).parent / "tracees"
PATIENCE = 60
IN_C = ("opens", "names", "attributes", "resolution", "descriptors", "processes", "worlds")


class Build(NamedTuple):
    """One way to make a program of tracees."""

    sources: tuple[str, ...]
    options: tuple[str, ...] = ()
    may_lack: str = ""
    """The package without which it cannot be made; its tracees are skipped then."""


X86_64 = platform.machine() == "x86_64"
WITH_LIBRARY = tuple(f"{name}.c" for name in ("main", *IN_C))
BUILDS = {"native": Build(WITH_LIBRARY), "static": Build(WITH_LIBRARY, ("-static",))}
if X86_64:
    BUILDS["32-bit"] = Build(WITH_LIBRARY, ("-m32",), may_lack="gcc-multilib")
    BUILDS["raw"] = Build(("raw.c",), ("-nostdlib", "-static", "-fno-stack-protector"))
PYTHON = "python"


class Tracee(NamedTuple):
    """A tracee in one of its builds."""

    build: str
    declaration: Declaration

    @property
    def directory(self) -> str:
        """Name of the directory that it works in."""
        return f"{self.build}.{self.declaration.name}"


def tracees() -> list[Tracee]:
    """Find all tracees in all their builds."""
    found = [
        Tracee(name, declaration)
        for name, build in BUILDS.items()
        for source in build.sources
        for declaration in declarations(SOURCES / source)
    ]
    found += [Tracee(PYTHON, each) for each in declarations(SOURCES / "programs.py")
              if each.name != "main"]  # fmt: skip
    return [each for each in found if os.geteuid() == 0 or "root" not in each.declaration.needs]


def compile_all(directory: Path) -> dict[str, list[str]]:
    """Compile each build; returns the words that run a tracee of it, less its name."""
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda name: _compile(BUILDS[name], directory / name), BUILDS))
    words = {name: [str(directory / name)] for name, here in zip(BUILDS, made, strict=True) if here}
    return words | {PYTHON: [sys.executable, "-I", "-S", str(SOURCES / "programs.py")]}


def _compile(build: Build, program: Path) -> bool:
    """Compile it; tells whether the package was there without which it cannot be."""
    sources = [str(SOURCES / source) for source in build.sources]
    command = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-pthread", *build.options]
    done = subprocess.run(
        [*command, "-o", str(program), *sources],
        check=not build.may_lack,
        capture_output=bool(build.may_lack),
        timeout=PATIENCE,
    )
    return done.returncode == 0


def prepare(chosen: list[Tracee], work: Path) -> None:
    """Make each tracee's directory, with what it declares as given."""
    for tracee in chosen:
        top = work / tracee.directory
        top.mkdir()
        # A directory stands behind what is in it, if at all: a/ a/b/ a/b/file.
        for path, kind, text in tracee.declaration.given:
            place = top / os.fsdecode(path)
            if kind == "directory":
                place.mkdir()
            elif kind == "link":
                place.symlink_to(os.fsdecode(text))
            else:
                place.write_bytes(text)
                place.chmod(0o700 if kind == "program" else 0o600)


def script(chosen: list[Tracee], words: dict[str, list[str]], work: Path) -> str:
    """Write the script of sh that runs each in its directory, and says how each ended."""
    lines = []
    for tracee in chosen:
        name = tracee.directory
        run = shlex.join([*words[tracee.build], tracee.declaration.name])
        place = shlex.quote(str(work / name))
        lines.append(f"(cd {place} && exec {run}) >/dev/null 2>{place}.said; echo {name} $?")
    return "\n".join(lines)
