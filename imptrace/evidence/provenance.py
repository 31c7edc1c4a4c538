"""Where evidence comes from: program, version and system, and the names that must stay private."""

import os
import platform
import pwd
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from imptrace.db.records import ProcessRecord, RunDetails
from imptrace.evidence.machine import brought_along
from imptrace.facts.commands import answer_if_any
from imptrace.facts.people import PrivateNames, is_person, private_names
from imptrace.facts.programs import program_name

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
    rehearsed: bool = False
    """Whether all came back when this very advice was rehearsed."""


def provenance(runs: Sequence[RunDetails], programs_of_service: Collection[str]) -> Provenance:
    """Say where runs come from. Asks this machine only about runs that were made on it.

    A run that was started through a shell or a wrapper is named for the service's own program.
    """
    # What stood in for the service's own program in some runs says nothing about it.
    of_service = [each for each in runs if _runs_one_of(each, programs_of_service)]
    programs = dict.fromkeys(_program(each, programs_of_service) for each in of_service or runs)
    systems = {_on_one_line(each) for details in runs if (each := run_system(details))}
    return Provenance(
        programs=tuple(programs),
        system=" and ".join(sorted(systems)) or None,
        recorders=tuple(sorted({details.run.recorder for details in runs})),
        runs=len(runs),
        imptrace=version("imptrace"),
        lost=sum(details.run.lost for details in runs),
    )


def _runs_one_of(details: RunDetails, programs: Collection[str]) -> bool:
    wanted = set(map(os.fsencode, programs))
    return any(program_name(process.exe) in wanted for process in details.processes)


def private_names_of(runs: Sequence[RunDetails]) -> PrivateNames:
    """Collect the names of whoever made the runs, then of everybody on this machine."""
    uids = {process.uid for details in runs for process in details.processes}
    known = [user for user in pwd.getpwall() if is_person(user.pw_uid)]
    known.sort(key=lambda user: user.pw_uid not in uids)
    people = [person for details in runs for person in _people_of(details)]
    people += [(user.pw_name, os.fsencode(user.pw_dir)) for user in known]
    return private_names(people, [*(details.run.host for details in runs), platform.node()])


def os_name() -> str | None:
    """Name this machine's distribution and release."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def program_version(exe: bytes, *, is_here: bool) -> str | None:
    """Find the version of a program in its store path, else in this machine's Debian records."""
    in_store = _STORE_NAME.match(exe)
    if in_store:
        return in_store["version"].decode(errors="backslashreplace")
    if not is_here:
        return None
    # A package made before /bin became a link to /usr/bin is still listed with the old names.
    owner = _dpkg("--search", exe) or _dpkg("--search", exe.removeprefix(b"/usr"))
    package = owner.split(b": ")[0].split(b",")[0]
    if not package:
        return None
    return _dpkg("--show", "--showformat=${Version}", package).decode() or None


def _dpkg(*question: str | bytes) -> bytes:
    return answer_if_any("dpkg-query", *question, seconds=_LIMIT_SECONDS)


def _people_of(details: RunDetails) -> Iterator[tuple[str, bytes]]:
    """Yield the users and home directories that a run names."""
    if is_person(details.run.uid):
        yield details.run.user, b""
    for process in details.processes:
        if is_person(process.uid) and "HOME" in process.environ:
            yield "", process.environ["HOME"]


def run_version(details: RunDetails, programs_of_service: Collection[str] = ()) -> str | None:
    """Find the version of the program that a run is about."""
    elsewhere = brought_along(details.run)
    if elsewhere is not None and elsewhere.version is not None:
        return elsewhere.version
    main = _main_process(details, programs_of_service)
    return program_version(main.exe, is_here=_was_here(details)) if main else None


def _program(details: RunDetails, programs_of_service: Collection[str]) -> str:
    main = _main_process(details, programs_of_service)
    name = program_name(main.exe) if main else details.run.program
    found = run_version(details, programs_of_service)
    shown = name.decode(errors="backslashreplace")
    return _on_one_line(f"{shown} {found}" if found else shown)


def _on_one_line(text: str) -> str:
    """Leave out what ends a line or hides: names, also those that came along, may hold it."""
    return "".join(each if each.isprintable() else "?" for each in text)


def run_system(details: RunDetails) -> str | None:
    """Name the distribution and release that a run was recorded on."""
    elsewhere = brought_along(details.run)
    if elsewhere is not None:
        return elsewhere.system
    return os_name() if _was_here(details) else None


def _was_here(details: RunDetails) -> bool:
    return details.run.host == platform.node()


def _main_process(
    details: RunDetails, programs_of_service: Collection[str]
) -> ProcessRecord | None:
    """Find the process that is the program: the service's first, else the one asked for."""
    for wanted in (*map(os.fsencode, programs_of_service), details.run.program):
        for process in details.processes:
            if program_name(process.exe) == wanted:
                return process
    return None
