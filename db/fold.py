"""Folding events into rows, in memory: one row per (process, path, op), free of any database.

What is pending stays here until the writer took it; what must be remembered for the whole run
(which paths were changed, where changed paths lie) is kept as small as the distinct paths allow.
"""

from collections.abc import Iterable

from imptrace.db.buses import bus_of
from imptrace.db.changed_tree import ChangedTree
from imptrace.db.codes import OUTCOME_CODES
from imptrace.db.passing import Passing
from imptrace.db.records import MAYBE_DONE, AccessRecord
from imptrace.tracer.events import (
    ABSENT,
    CHANGES,
    Access,
    AccessFlag,
    Event,
    FileState,
    Lost,
    MountNamed,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
    Unseen,
    Warned,
    flags_of,
)

PENDING_LIMIT = 1_000_000
"""Distinct accesses held while the database cannot be written (some 300 bytes each)."""
WARNING_LIMIT = 100
MOUNT_NAME_LIMIT = 1000
GAP_LIMIT = 10_000

# Half the time of the class's own __new__, which looks at keywords.
_make = tuple.__new__
_READ = Op.READ
_CONNECT = Op.CONNECT
_OK = Outcome.OK
_RANK = OUTCOME_CODES
_TWO_NAMED = frozenset({Op.RENAME, Op.LINK})
_EMPTY = int(AccessFlag.EMPTY)
_READ_FIRST = int(AccessFlag.READ_FIRST)
_ALREADY_OPEN = int(AccessFlag.ALREADY_OPEN)
_EXCHANGE = int(AccessFlag.EXCHANGE)
_PRIVATE_MOUNT = int(AccessFlag.PRIVATE_MOUNT)

AccessKey = tuple[int, bytes, Op]


class Fold:
    """The state of a run that is being recorded. Not thread-safe."""

    def __init__(
        self, pending_limit: int = PENDING_LIMIT, *, of_whole_machine: bool = False
    ) -> None:
        """Begin with nothing.

        `of_whole_machine`: whoever is asked over a bus is recorded as well, and of names that come
        and go only some are kept.
        """
        self.lost = 0
        self.gaps: list[Lost] = []
        """What was lost when, as far as recorders said; the first of them."""
        self.unseen = 0
        self.warnings: dict[tuple[str, str], None] = {}
        self.mount_names: dict[MountNamed, None] = {}
        self._limit = pending_limit
        self._of_whole_machine = of_whole_machine
        # What was folded since the last commit: of an access, all calls since then.
        self.processes: dict[int, ProcessStarted] = {}
        self.exits: dict[int, ProcessExited] = {}
        self.accesses: dict[AccessKey, AccessRecord] = {}
        self.before: dict[bytes, FileState] = {}
        self._known: set[int] = set()
        # Path to whether a change of it may have happened (False: each one was refused).
        self._requested: dict[bytes, bool] = {}
        # Changed only on mounts that the host cannot see: there the name means another place.
        self._private: set[bytes] = set()
        self._before_known: set[bytes] = set()
        self._tree = ChangedTree()
        self._passing = Passing() if of_whole_machine else None

    @property
    def is_pending(self) -> bool:
        """Whether anything is to be stored."""
        return bool(self.processes or self.exits or self.accesses or self.before)

    def give_up(self) -> None:
        """Count what is pending as lost: it cannot be stored."""
        calls = sum(row.count for row in self.accesses.values())
        if calls:
            times = [(row.first, row.last) for row in self.accesses.values()]
            since, until = min(first for first, _ in times), max(last for _, last in times)
            self._lost(Lost(calls, since, until))
        self.stored()

    def stored(self) -> None:
        """Forget what was pending: it is in the database now."""
        self.processes, self.exits, self.accesses, self.before = {}, {}, {}, {}

    def passed(self) -> list[bytes]:
        """Forget the names that came and went, and are many; which they are. Each is told once."""
        if self._passing is None or not self._passing.dropped:
            return []
        # One that came again since is there.
        dropped = [path for path in self._passing.dropped if path not in self._requested]
        self._passing.dropped.clear()
        gone = set(dropped)
        self.accesses = {key: row for key, row in self.accesses.items() if key[1] not in gone}
        for path in gone & self.before.keys():
            del self.before[path]
        return dropped

    def changed_paths(self) -> list[bytes]:
        """Every path of which a change was asked for so far, where the host can see it."""
        return [path for path in self._requested if path not in self._private]

    def feed(self, events: Iterable[Event]) -> None:
        """Fold events, in order."""
        for event in events:
            if isinstance(event, Access):
                self._access(event)
            elif isinstance(event, ProcessStarted):
                self._known.add(event.process)
                # Whether one is known need not be told of those that are gone.
                self._known.discard(event.previous or 0)
                self.processes[event.process] = event
            elif isinstance(event, ProcessExited):
                self._exited(event)
            elif isinstance(event, Lost):
                self._lost(event)
            elif isinstance(event, Unseen):
                self.unseen += event.count
            elif isinstance(event, Warned):
                self._warned(event)
            else:
                self._mount_named(event)

    def _access(self, access: Access) -> None:
        op = access.op
        key = access.process, access.path, op
        row = self._row(key, access)
        if row is None:
            return
        if op in CHANGES:
            self._change(access)
        elif (
            op is _READ
            and access.outcome is _OK
            and not int(row.flags) & (_EMPTY | _READ_FIRST)
            and not self._requested.get(access.path)
        ):
            self.accesses[key] = _flagged(row, _READ_FIRST)
        elif op is _CONNECT and access.outcome in MAYBE_DONE and not self._of_whole_machine:
            bus = bus_of(access.path)
            # A bus that the program itself has started is recorded, with all that it starts.
            if bus is not None and not self._requested.get(access.path):
                self._warned(bus)

    def _row(self, key: AccessKey, access: Access) -> AccessRecord | None:
        """Fold a call into its row; None if no more rows can be held: then it counts as lost."""
        accesses = self.accesses
        row = accesses.get(key)
        if row is not None:
            row = accesses[key] = _added(row, access)
        elif len(accesses) >= self._limit:
            self.lost += access.count
            return None
        else:
            if access.process not in self._known:
                self._unannounced(access.process, access.at)
            # Taken apart at once: every call comes through here, and most are the first of theirs.
            process, op, _, _, outcome, at, errno, flags, _, _, count, last = access
            if at > last:  # noqa: PLR1730 (three times as fast as max)
                last = at
            values = process, op, count, at, last, outcome, errno, flags, None, None
            row = accesses[key] = _make(AccessRecord, values)
        return row

    def _change(self, access: Access) -> None:
        path, op = access.path, access.op
        if int(access.flags) & _PRIVATE_MOUNT:
            if path not in self._requested:
                self._private.add(path)
        elif self._private:
            self._private.discard(path)
        if access.before is not None:
            self._note_before(path, access.before)
        elif access.outcome in MAYBE_DONE and not int(access.flags) & _ALREADY_OPEN:
            # What somebody finds there later is not what was there before.
            self._before_known.add(path)
        if access.path2 is not None and op in _TWO_NAMED:
            self._two_named(access, access.path2)
        elif access.outcome not in MAYBE_DONE:
            self._requested.setdefault(path, False)
        elif op is Op.DELETE and access.outcome is _OK:
            self._requested[path] = True
            self._tree.discard(path)
            self._gone(path)
        elif path not in self._tree:
            self._requested[path] = True
            self._tree.add(path)

    def _unannounced(self, process: int, at: int) -> None:
        """Stand in for a process whose start the recorder lost, so that its accesses are kept."""
        self._known.add(process)
        # One that has ended may be forgotten here and not be stored yet.
        self.processes.setdefault(
            process, ProcessStarted(process, None, None, 0, b"", (), b"", 0, 0, b"", {}, at)
        )

    def _two_named(self, access: Access, other: bytes) -> None:
        """Note what a rename or link means for its other name."""
        other_key = access.process, other, access.op
        if self._row(other_key, access) is None:
            return
        key = access.process, access.path, access.op
        made, origin = (key, other_key) if access.op is Op.LINK else (other_key, key)
        self._note_names(made, access.outcome, origin=origin[1])
        self._note_names(origin, access.outcome, to=made[1])
        if access.before2 is not None:
            self._note_before(other, access.before2)
        elif access.op is Op.RENAME and access.outcome in MAYBE_DONE:
            self._before_known.add(other)  # as in _change
        if access.outcome not in MAYBE_DONE:
            self._requested.setdefault(access.path, False)
            self._requested.setdefault(other, False)
        elif access.op is Op.LINK:
            self._requested[access.path] = self._requested[other] = True
            self._tree.add(access.path)
        else:
            self._renamed(access, other)

    def _note_names(
        self,
        key: AccessKey,
        outcome: Outcome,
        *,
        to: bytes | None = None,
        origin: bytes | None = None,
    ) -> None:
        """Note the other name of a rename or link; one that was refused hides none that was not."""
        row = self.accesses[key]
        if outcome in MAYBE_DONE or row.outcome not in MAYBE_DONE:
            row = row._replace(to=to or row.to, origin=origin or row.origin)
            self.accesses[key] = row

    def _renamed(self, access: Access, new: bytes) -> None:
        self._requested[access.path] = self._requested[new] = True
        if int(access.flags) & _EXCHANGE:
            carried = self._tree.exchange(access.path, new)
            # What nobody had touched on the other side, if it was there, went the other way.
            known = set(carried)
            carried += [back for back in ((b, a) for a, b in carried) if back not in known]
        else:
            carried = self._tree.rename(access.path, new)
        came_along = access._replace(flags=AccessFlag.CARRIED)
        for origin, path in carried:
            self._carry(came_along, origin, path)
        # Nothing can lie below a name that a rename gives to a directory, but below one that an
        # exchange gives.
        if not int(access.flags) & _EXCHANGE:
            for _, path in carried:
                self._note_before(path, ABSENT)
            if access.outcome is _OK:
                for origin, _ in carried:
                    self._gone(origin)
                self._gone(access.path)

    def _gone(self, path: bytes) -> None:
        """Note that nothing is at a path any longer, which may be no news."""
        if self._passing is None:
            return
        for each in self._passing.gone(path):
            self._requested.pop(each, None)
            self._before_known.discard(each)
            self._private.discard(each)

    def _carry(self, access: Access, origin: bytes, path: bytes) -> None:
        """Note a changed path that came along when a directory above it was renamed."""
        key = access.process, path, Op.RENAME
        row = self._row(key, access)
        if row is None:
            return
        self.accesses[key] = row._replace(origin=origin)
        self._requested[path] = True

    def _note_before(self, path: bytes, before: FileState) -> None:
        if path not in self._before_known:
            self._before_known.add(path)
            self.before[path] = before
            if self._passing is not None and before == ABSENT:
                self._passing.made(path)

    def _exited(self, event: ProcessExited) -> None:
        if event.process not in self._known:
            self._unannounced(event.process, event.at)
        self._known.discard(event.process)
        self.exits[event.process] = event

    def _lost(self, lost: Lost) -> None:
        self.lost += lost.count
        if len(self.gaps) < GAP_LIMIT:
            self.gaps.append(lost)

    def _mount_named(self, name: MountNamed) -> None:
        if len(self.mount_names) < MOUNT_NAME_LIMIT:
            self.mount_names[name] = None

    def _warned(self, warning: Warned) -> None:
        if len(self.warnings) < WARNING_LIMIT:
            self.warnings[warning.code, warning.text] = None


def _added(row: AccessRecord, access: Access) -> AccessRecord:
    """Fold in more calls: as imptrace.db.store does where an earlier batch is stored."""
    process, op, count, first, last, outcome, errno, flags, to, origin = row
    _, _, _, _, new_outcome, at, new_errno, new_flags, _, _, more, until = access
    if new_outcome is not outcome and _RANK[new_outcome] < _RANK[outcome]:
        if outcome not in MAYBE_DONE and new_outcome in MAYBE_DONE:
            to = origin = None  # the names that a refused call asked for
        outcome, errno = new_outcome, new_errno
    elif new_outcome is outcome:
        errno = new_errno
    if new_flags is not flags:
        flags = flags_of(int(flags) | int(new_flags))
    first, last, count = min(first, at), max(last, at, until), count + more
    return _make(AccessRecord, (process, op, count, first, last, outcome, errno, flags, to, origin))


def _flagged(row: AccessRecord, flag: int) -> AccessRecord:
    return row._replace(flags=flags_of(int(row.flags) | flag))
