"""What the subject is called, and which paths are named for it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imptrace.db.records import ProcessRecord, RunDetails
from imptrace.facts import programs
from imptrace.facts.programs import program_name
from imptrace.judge.model import Facts
from imptrace.tracer.events import Op

_SEPARATORS = re.compile(r"[-_.@+ ]")
_VERSION = re.compile(r"[-.]?\d[\d.]*$")
_PACKAGE_DIRECTORIES = re.compile(
    rb"^(?:/nix/store/[0-9a-z]{32}-(?P<nix>[A-Za-z][^/]*?)(?:-\d[^/]*)?|/(?:usr/(?:local/)?lib(?:exec)?|opt)/(?P<fhs>[^/]+))/."
)
_SHORTEST_PREFIX = 3
_MULTIARCH = re.compile(r"^(?:[a-z0-9_]+-linux-gnu.*|lib.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Lower case, without leading dots and trailing version numbers."""

    all: frozenset[str]
    """Every name that something of the subject has: programs, packages, units, users."""
    first_parts: frozenset[str] = frozenset()
    """Names that are but the first part of one: `alpha` of `alpha-beta`."""

    def match(self, component: bytes, changed_by: Iterable[bytes] = ()) -> str | None:
        """The name of the subject that a component of a path bears.

        A component bears a name if it is the name, or begins with it and a separator. What begins
        with the name of a program that itself made the path (`.viminfo`) needs no separator.
        """
        bare = _bare(component.decode("utf-8", "replace"))
        for candidate in (bare, _VERSION.sub("", bare), _SEPARATORS.split(bare)[0]):
            if candidate in self.all:
                return candidate
        for program in changed_by:
            for name in _variants(program.decode("utf-8", "replace")):
                if len(name) >= _SHORTEST_PREFIX and bare.startswith(name):
                    return name
        return None


def names_of(facts: Facts) -> Names:
    """Collect the names from the programs that ran, the catalogue entry, units and users."""
    names: set[str] = set()
    whole: set[str] = set()
    for text in (*_recorded(facts.runs), *_known(facts), *_service_users(facts)):
        names.update(_variants(text))
        whole.update((_bare(text), _VERSION.sub("", _bare(text)), _bare(text).removesuffix("d")))
    return Names(
        all=frozenset(name for name in names if name),
        first_parts=frozenset(names) - whole,
    )


def names_of_process(process: ProcessRecord) -> tuple[bytes, ...]:
    """What a process is called."""
    return programs.names_of(process.exe, process.argv)


def executed_names(run: RunDetails) -> frozenset[bytes]:
    """Every name that something was executed under.

    A script is executed under its own name, and its process is called like the interpreter.
    """
    processes = {name for process in run.processes for name in names_of_process(process)}
    files = {
        program_name(path.path)
        for path in run.paths
        # A list: a run has many paths, and each few accesses.
        if Op.EXEC in [access.op for access in path.accesses]
    }
    return frozenset({run.run.program} | processes | files)


def _recorded(runs: Iterable[RunDetails]) -> Iterator[str]:
    for run in runs:
        yield _text(run.run.program)
        if run.run.service:
            yield run.run.service
        yield from map(_text, executed_names(run))
        for process in run.processes:
            yield from _packages(process.exe)
            if process.unit:
                yield process.unit.removesuffix(".service")


def _known(facts: Facts) -> Iterator[str]:
    if facts.entry is not None:
        entry = facts.entry
        yield entry.id
        yield from entry.aliases
        yield from entry.programs
        yield from (unit.removesuffix(".service") for unit in entry.units)


def _service_users(facts: Facts) -> Iterator[str]:
    """Users that exist for one service bear its name."""
    uids = {process.uid for run in facts.runs for process in run.processes}
    for user in facts.users:
        if user.uid in uids and not user.is_person:
            yield user.name


def _packages(exe: bytes) -> Iterator[str]:
    found = _PACKAGE_DIRECTORIES.match(exe)
    if found is not None:
        name = _text(found["nix"] or found["fhs"])
        if not _MULTIARCH.match(name):
            yield name


def _variants(text: str) -> Iterator[str]:
    """A name, and the same without version, flavour (`-esr`, `-server`) and daemon's `d`."""
    bare = _bare(text)
    yield bare
    yield _VERSION.sub("", bare)
    first = _SEPARATORS.split(bare)[0]
    if len(first) >= _SHORTEST_PREFIX:
        yield first
    if first.endswith("d") and len(first) > _SHORTEST_PREFIX:
        yield first.removesuffix("d")


def _bare(text: str) -> str:
    return text.lstrip(".-").lower()


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
