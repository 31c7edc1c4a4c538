"""What goes into a layout, and what comes out of it."""

from dataclasses import dataclass
from typing import Protocol

from imptrace.catalogue.model import EntryPlace
from imptrace.contribute.git import FileChange
from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import lies_below
from imptrace.judge.model import Method
from imptrace.kept.compare import Declared, Difference, Observed, Status, compare

_LONGEST_NAME = 200


def shown(text: str | bytes) -> str:
    """Put a name in quotes, cut to a readable length. Escaping is left to who prints it."""
    if isinstance(text, bytes):
        text = text.decode(errors="surrogateescape")
    return f"'{text[:_LONGEST_NAME]}{'…' if len(text) > _LONGEST_NAME else ''}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedPath:
    """One path to write down."""

    path: str
    """Printable text: absolute, or relative to the home directory for a program of a home."""
    kind: Kind
    level: Level
    user: str | None
    group: str | None
    mode: int | None
    method: Method
    comment: str | None
    """A short reason of one line, for whoever reads the file."""
    reason: str
    """The same for the commit message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A path that is not written, and why, in words."""

    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What shall be kept for one service."""

    service: str
    """The catalogue id, which is also the name of file and module."""
    title: str
    option: str
    enable: tuple[str, ...]
    """The options any of which switches it on; none: always on."""
    paths: tuple[ProposedPath, ...]
    place: EntryPlace = EntryPlace.SERVICE
    units: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    """Units and base names of programs that were recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a layout makes of a proposal. Without `files` there is nothing to do."""

    files: tuple[FileChange, ...]
    is_new: bool
    """The service was not there before."""
    added: tuple[ProposedPath, ...]
    unobserved: tuple[Declared, ...] = ()
    """Was there before and was not observed: stays."""
    other_levels: tuple[Difference, ...] = ()
    """Was there before at another level: stays as it is."""
    held_back: tuple[HeldBack, ...] = ()


class Layout(Protocol):
    """A form of repository that a proposal can be written into."""

    name: str

    def plan(self, proposal: Proposal) -> Change:
        """Work out the change. Raises UsageError where the files do not allow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A proposal compared with what is there already."""

    added: tuple[ProposedPath, ...]
    unobserved: tuple[Declared, ...]
    other_levels: tuple[Difference, ...]
    held_back: tuple[HeldBack, ...]


def merge(declared: list[Declared], paths: tuple[ProposedPath, ...], *, nests: bool) -> Merge:
    """Decide which paths are to be added. `nests`: levels may lie inside each other."""
    added, other_levels, held_back = [], [], []
    by_path = {path.path.encode(): path for path in paths}
    differences = compare(declared, [_observed(path) for path in paths])
    for difference in differences:
        if difference.observed is None or difference.status is Status.KEPT:
            continue
        path = by_path[difference.path]
        above = difference.declared or _outer(path, paths)
        obstacle = _obstacle(path, above, declared, nests=nests)
        if difference.declared and difference.declared.path == difference.path:
            other_levels.append(difference)
        elif obstacle:
            held_back.append(HeldBack(path=path.path, why=obstacle))
        else:
            added.append(path)
    return Merge(
        added=tuple(added),
        unobserved=tuple(
            each.declared for each in differences if each.status is Status.EXTRA and each.declared
        ),
        other_levels=tuple(other_levels),
        held_back=tuple(held_back),
    )


def _observed(path: ProposedPath) -> Observed:
    return Observed(path=path.path.encode(), kind=path.kind, level=path.level)


def _outer(path: ProposedPath, paths: tuple[ProposedPath, ...]) -> Declared | None:
    """Find another proposed directory that holds this path."""
    for other in paths:
        if lies_below(path.path.encode(), other.path.encode()):
            return Declared(path=other.path.encode(), kind=other.kind, level=other.level)
    return None


def _obstacle(
    path: ProposedPath, above: Declared | None, declared: list[Declared], *, nests: bool
) -> str | None:
    """Say what stands against adding a path, if anything does."""
    if above is not None and not nests:
        return f"it lies in {shown(above.path)}, which is kept at level {above.level}"
    below = [each for each in declared if lies_below(each.path, path.path.encode())]
    if nests:
        below = [each for each in below if each.level is path.level]
    if below:
        return f"{shown(below[0].path)}, inside it, is kept already: join the two by hand"
    return None
