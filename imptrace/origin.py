"""Where evidence comes from: program, version and system, and the names that must stay private."""

import os
import platform
import pwd
import re
import subprocess
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from imptrace.db.programs import program_name
from imptrace.db.records import ProcessRecord, RunDetails
from imptrace.privacy import PrivateNames, is_person, private_names

OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))
SYSTEM, VERSION = "imptrace.system", "imptrace.version"
"""Properties of a run that came as evidence: what its own machine said."""

_STORE_NAME = re.compile(rb"^/nix/store/[0-9a-z]{32}-(?P<name>[^/]*?)-(?P<version>[0-9][^/]*)/")
_LIMIT_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the evidence comes from, as far as it may be told."""

    programs: tuple[str, ...]
    """Each with its version, where it is known."""
    system: str | None
    """Name and release of the distribution."""
    recorders: tuple[str, ...]
    runs: int
    imptrace: str
    """imptrace's own version."""
    lost: int = 0


def provenance(runs: Sequence[RunDetails], programs_of_service: Collection[str]) -> Provenance:
    """Say where runs come from. Asks this machine only about runs that were made on it.

    A run that was started through a shell or a wrapper is named for the service's own program.
    """
    programs = dict.fromkeys(_program(details, programs_of_service) for details in runs)
    systems = {each for details in runs if (each := _system(details))}
    return Provenance(
        programs=tuple(programs),
        system=" and ".join(sorted(systems)) or None,
        recorders=tuple(sorted({details.run.recorder for details in runs})),
        runs=len(runs),
        imptrace=version("imptrace"),
        lost=sum(details.run.lost for details in runs),
    )


def private_names_of(runs: Iterable[RunDetails]) -> PrivateNames:
    """Collect the names of this machine's people and of whoever made the runs."""
    people = [
        (user.pw_name, user.pw_dir.encode()) for user in pwd.getpwall() if is_person(user.pw_uid)
    ]
    hosts = [platform.node()]
    for details in runs:
        hosts.append(details.run.host)
        people += _people_of(details)
    return private_names(people, hosts)


def os_name() -> str | None:
    """Name this machine's distribution and release."""
    for path in OS_RELEASE:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
            key, _, value = line.partition("=")
            if key == "PRETTY_NAME":
                return value.strip().strip("\"'")
    return None


def program_version(exe: bytes, *, is_here: bool) -> str | None:
    """Find the version of a program in its store path, else in this machine's Debian records."""
    in_store = _STORE_NAME.match(exe)
    if in_store:
        return in_store["version"].decode(errors="backslashreplace")
    if not is_here:
        return None
    # A package made before /bin became a link to /usr/bin is still listed with the old names.
    owner = _output("dpkg-query", "--search", exe) or _output(
        "dpkg-query", "--search", exe.removeprefix(b"/usr")
    )
    package = owner.split(b": ")[0].split(b",")[0]
    if not package:
        return None
    return _output("dpkg-query", "--show", "--showformat=${Version}", package).decode() or None


def _people_of(details: RunDetails) -> Iterator[tuple[str, bytes]]:
    """Yield the users and home directories that a run names."""
    if is_person(details.run.uid):
        yield details.run.user, b""
    for process in details.processes:
        if is_person(process.uid) and "HOME" in process.environ:
            yield "", process.environ["HOME"]


def _program(details: RunDetails, programs_of_service: Collection[str]) -> str:
    main = _main_process(details, programs_of_service)
    name = program_name(main.exe) if main else details.run.program
    found = details.run.properties.get(VERSION)
    if found is None and main:
        found = program_version(main.exe, is_here=_was_here(details))
    text = name.decode(errors="backslashreplace")
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return f"{shown} {found}" if found else shown


def _system(details: RunDetails) -> str | None:
    known = details.run.properties.get(SYSTEM)
    return known or (os_name() if _was_here(details) else None)


def _was_here(details: RunDetails) -> bool:
    return details.run.host == platform.node()


def _main_process(
    details: RunDetails, programs_of_service: Collection[str]
) -> ProcessRecord | None:
    """Find the process that is the program: the service's, else the one that was asked for."""
    for wanted in (set(map(os.fsencode, programs_of_service)), {details.run.program}):
        for process in details.processes:
            if program_name(process.exe) in wanted:
                return process
    return None


def _output(*command: str | bytes) -> bytes:
    """Run a command that answers a question; nothing where it is not installed or says no."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            timeout=_LIMIT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""
