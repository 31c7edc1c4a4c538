"""What the catalogue says about a path."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from imptrace.catalogue import Entry, EntryPlace, KeptPath, NeverPath
from imptrace.facts.paths import parent_of, parents_of
from imptrace.facts.patterns import Pattern, compiled, is_wild, literal_prefix, without_instance
from imptrace.facts.units import private_path
from imptrace.judge.model import Scope
from imptrace.judge.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The catalogue's line that fits a path best."""

    entry: Entry
    path: bytes
    """The path, or the directory above it, that the line is about: as a pattern, as long as
    nothing was held against it."""
    kept: KeptPath | None
    never: NeverPath | None
    scope: Scope
    is_elsewhere: bool = False
    """Another distribution's place for the same data."""
    is_foreign: bool = False
    """The line is of a program that did not run: the place is that one's, whoever wrote there."""

    @property
    def rank(self) -> tuple[int, int, bool]:
        """The longer path wins; of equal ones what must not be kept."""
        return self.path.count(b"/"), len(self.path), self.never is not None


class Knowledge:
    """The lines of some entries, as absolute paths on this system."""

    def __init__(
        self, entries: Iterable[Entry], places: Places, others: Iterable[Entry] = ()
    ) -> None:
        """`others`: entries of programs that did not run, asked where the first say nothing."""
        others = tuple(others)
        self._others = Knowledge(others, places) if others else None
        self._literal: dict[bytes, Known] = {}
        self._of_directory: dict[bytes, Known | None] = {}
        self._patterns: list[tuple[Pattern, Known]] = []
        for entry in entries:
            for line in _lines(entry, places):
                self._add(line)
        self._patterns.sort(key=lambda each: each[1].rank, reverse=True)
        self._prefixes = tuple({literal_prefix(line.path) for _, line in self._patterns})

    def stands_out(self, path: bytes) -> bool:
        """Whether another line may be the best for `path` than for its directory."""
        if path in self._literal or path.startswith(self._prefixes):
            return True
        return self._others is not None and self._others.stands_out(path)

    def lines(self) -> Iterator[tuple[bytes, Known]]:
        """Every line, by its path or pattern."""
        for line in (*self._literal.values(), *(line for _, line in self._patterns)):
            yield line.path, line

    def about(self, path: bytes) -> Known | None:
        """The best line for `path`: about itself, or about a directory above it."""
        if self.stands_out(path):
            return self._about(path)
        directory = parent_of(path)
        if directory not in self._of_directory:
            self._of_directory[directory] = self._about(directory)
        return self._of_directory[directory]

    def _about(self, path: bytes) -> Known | None:
        found = self._own(path)
        if found is not None or self._others is None:
            return found
        foreign = self._others.about(path)
        return replace(foreign, is_foreign=True) if foreign is not None else None

    def _own(self, path: bytes) -> Known | None:
        literal = next((each for each in (path, *parents_of(path)) if each in self._literal), None)
        best = self._literal[literal] if literal is not None else None
        for pattern, line in self._patterns:
            if best is not None and line.rank <= best.rank:
                break
            found = pattern.match(path)
            if found is not None:
                return replace(line, path=found[0])
        return best

    def _add(self, line: Known) -> None:
        if is_wild(line.path):
            self._patterns.append((compiled(line.path), line))
            return
        there = self._literal.get(line.path)
        if there is None or line.rank > there.rank:
            self._literal[line.path] = line


def _lines(entry: Entry, places: Places) -> Iterator[Known]:
    for kept in entry.persist:
        yield from _kept_lines(entry, kept, Scope.OWNED, places)
    for kept in entry.shared:
        yield from _kept_lines(entry, kept, Scope.SHARED, places)
    for kept in entry.instances:
        yield from _kept_lines(entry, kept, Scope.OWNED, places)
    for never in entry.never:
        for path in _absolute(entry, never.path, places):
            yield Known(path=path, entry=entry, kept=None, never=never, scope=Scope.OWNED)


def _kept_lines(entry: Entry, kept: KeptPath, scope: Scope, places: Places) -> Iterator[Known]:
    for path in _absolute(entry, kept.path, places):
        yield Known(path=path, entry=entry, kept=kept, never=None, scope=scope)
    for other in kept.elsewhere:
        for path in _absolute(entry, other, places):
            yield Known(
                path=path, entry=entry, kept=kept, never=None, scope=scope, is_elsewhere=True
            )


def _absolute(entry: Entry, path: bytes, places: Places) -> Iterator[bytes]:
    if entry.place is EntryPlace.HOME:
        for home in places.homes:
            yield from places.in_home(home, path)
        return
    for each in without_instance(path):
        yield each
        if entry.dynamic_user:
            yield private_path(each)
