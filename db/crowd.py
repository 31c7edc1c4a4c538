"""Many processes as few: what a run of the whole machine keeps of them, free of any database.

A machine starts a program thousands of times. All that run the same program, for the same user, in
the same unit and below the same ones, are one process of such a run, so that its size follows what
is on the machine and not how long it is watched. Command lines hold passwords: of them only the
name of the program and of its script are kept.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from imptrace.facts.programs import words_of_program
from imptrace.facts.units import unit_of
from imptrace.tracer.events import (
    CONTENT_OPS,
    Access,
    AccessFlag,
    Event,
    Lost,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
    Unseen,
)

MOST = 20_000
"""Different processes of one run; what comes later stands together by user and unit."""
_REMEMBERED = 10_000
"""Processes that ended, of which something may still be told."""
_WRITTEN = 50_000
"""Paths that were written, of which it is known when."""
_OF_ONE_START = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+|(?:r|[0-9])[0-9a-f]{7,}|\d+")


class _ProcessKind(NamedTuple):
    """What makes processes alike."""

    exe: bytes
    words: tuple[bytes, ...]
    uid: int
    gid: int
    unit: str | None
    environ: tuple[tuple[str, bytes], ...]


class _TreePlace(NamedTuple):
    """Where in the tree of processes one stands: by the first of each kind."""

    parent: int | None
    previous: int | None
    kind: _ProcessKind


class Crowd:
    """Tells of the first process of each kind what any of that kind did."""

    def __init__(self, most: int = MOST) -> None:
        """`most`: different processes."""
        self._most = most
        self._first: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._known: dict[_TreePlace, int] = {}
        self._places: dict[int, _TreePlace] = {}
        self._began: dict[int, int] = {}
        self._starts: dict[int, ProcessStarted] = {}
        self._told: set[int] = set()
        self._offset = 0
        self._written: dict[bytes, int] = {}

    def turn(self, offset: int) -> None:
        """Tell what follows to another run, which began `offset` nanoseconds after the first."""
        self._offset = offset
        self._told.clear()
        self._written.clear()
        alive: set[int] = set()
        waiting = [*self._first.values(), *self._ended.values()]
        while waiting:
            first = waiting.pop()
            if first in self._places and first not in alive:
                alive.add(first)
                place = self._places[first]
                waiting += [each for each in (place.parent, place.previous) if each is not None]
        self._places = {first: self._places[first] for first in alive}
        self._starts = {first: self._starts[first] for first in alive}
        self._known = {place: first for first, place in self._places.items()}

    def of(self, events: Iterable[Event]) -> Iterator[Event]:
        """Tell events of the first ones; nothing of how those of a kind ended."""
        for event in events:
            if isinstance(event, Access):
                access = self._access(event)
                yield from self._tell(access.process)
                if self._offset:
                    at, last = access.at - self._offset, access.last - self._offset
                    access = access._replace(at=max(at, 0), last=max(last, 0))
                yield access
            elif isinstance(event, Unseen):
                yield event._replace(process=self._first_of(event.process))
            elif isinstance(event, ProcessStarted):
                self._started(event)
                yield from self._tell(self._first[event.process])
            elif isinstance(event, ProcessExited):
                self._forget(event.process)
            elif isinstance(event, Lost) and event.process is not None:
                yield event._replace(process=self._first_of(event.process))
            else:
                yield event

    def _tell(self, first: int) -> Iterator[ProcessStarted]:
        """Tell of a process whatever this run does not know yet: first of those above it."""
        chain: list[int] = []
        waiting: int | None = first
        while waiting is not None and waiting in self._starts and waiting not in self._told:
            chain.append(waiting)
            place = self._places[waiting]
            waiting = place.parent if place.previous is None else place.previous
        for each in reversed(chain):
            self._told.add(each)
            started = self._starts[each]
            yield started._replace(at=max(started.at - self._offset, 0))

    def _access(self, event: Access) -> Access:
        """Tell of an access; one to what an earlier process wrote is to what was there before."""
        first, op = self._first_of(event.process), event.op
        if op in CONTENT_OPS or op is Op.RENAME:
            # The name that a rename gives is the one that is read.
            path = event.path2 if op is Op.RENAME and event.path2 is not None else event.path
            self._written[path] = event.at
            if len(self._written) > _WRITTEN:
                for old in list(self._written)[: _WRITTEN // 2]:
                    del self._written[old]
        elif op is Op.READ and event.outcome is Outcome.OK:
            written = self._written.get(event.path)
            is_empty = int(event.flags) & AccessFlag.EMPTY
            if written is not None and not is_empty and self._began.get(event.process, 0) > written:
                flags = AccessFlag(int(event.flags) | AccessFlag.READ_FIRST)
                return event._replace(process=first, flags=flags)
        return event if first == event.process else event._replace(process=first)

    def _started(self, event: ProcessStarted) -> None:
        """Find whom a process stands behind."""
        parent = self._known_of(event.parent)
        previous = self._known_of(event.previous)
        words = words_of_program(event.exe, event.argv)
        place = _TreePlace(parent, None if previous == parent else previous, _kind(event, words))
        first = self._known.get(place) or self._above(place)
        self._forget(event.previous)
        if first is None and len(self._places) >= self._most:
            event = event._replace(exe=b"", environ={}, gid=event.uid)
            words = ()
            place = _TreePlace(None, None, _kind(event, words))
            first = self._known.get(place)
        is_new = first is None
        first = event.process if first is None else first
        self._first[event.process] = first
        self._began[event.process] = event.at
        if is_new:
            self._known[place] = first
            self._places[first] = place
            self._starts[first] = event._replace(
                parent=place.parent, previous=place.previous, argv=words
            )

    def _above(self, place: _TreePlace) -> int | None:
        """Find one of the same kind among the ancestors: what starts itself is one, too."""
        above = place.parent
        while above is not None:
            found = self._places[above]
            if found.kind == place.kind:
                return above
            above = found.parent
        return None

    def _known_of(self, process: int | None) -> int | None:
        """Find the first of the kind of a process that was told of."""
        if process is None:
            return None
        return self._first.get(process) or self._ended.get(process)

    def _first_of(self, process: int) -> int:
        return self._known_of(process) or process

    def _forget(self, process: int | None) -> None:
        first = self._first.pop(process, None) if process is not None else None
        if process is None or first is None:
            return
        if len(self._ended) >= _REMEMBERED:
            for old in list(self._ended)[: _REMEMBERED // 2]:
                del self._ended[old]
        self._ended[process] = first
        self._began.pop(process, None)


def _kind(event: ProcessStarted, words: tuple[bytes, ...]) -> _ProcessKind:
    environ = tuple(sorted(event.environ.items()))
    return _ProcessKind(event.exe, words, event.uid, event.gid, _unit_kind(event.cgroup), environ)


def _unit_kind(cgroup: bytes) -> str | None:
    """Name a unit without what is new at each start: `app-firefox-*.scope`, `session-*.scope`."""
    unit = unit_of(cgroup)
    if unit is None:
        return None
    name, at, instance = unit.partition("@")
    if unit.endswith(".scope"):
        return _OF_ONE_START.sub("*", unit)
    return name + at + _OF_ONE_START.sub("*", instance)
