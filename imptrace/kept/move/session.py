"""A whole move: what is in use, whether there is room, units stopped and started, the copies."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.paths import is_within, parents_of
from imptrace.kept.move import units as manager
from imptrace.kept.move.holders import Holder, holders
from imptrace.kept.move.journal import Journal, load
from imptrace.kept.move.moving import Moved, MoveOutcome, Mover
from imptrace.kept.move.tree import MovedTree
from imptrace.tracer.mountinfo import own_mounts

_TO_DO = (MoveOutcome.WOULD_COPY, MoveOutcome.WOULD_UPDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOptions:
    """What to move, and how."""

    paths: tuple[bytes, ...]
    storage: bytes
    units: tuple[str, ...] = ()
    """Units that the paths belong to, whether or not they are loaded."""
    stop: bool = False
    live: bool = False
    """Copy also what is being written."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveReport:
    """What became of every path."""

    storage: bytes
    moved: tuple[Moved, ...]
    holders: tuple[Holder, ...] = ()
    """Who had files open, before units were stopped."""
    stopped: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    """Units that did not stop, or not start again."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be done."""
        return not self.troubles and all(each.is_done for each in self.moved)


Tell = Callable[[Moved], None]


def move(wanted: MoveOptions, tell: Tell) -> MoveReport:
    """Copy into the store. `tell` hears of each path. Raises ImptraceError before any copy."""
    paths = outermost(wanted.paths)
    for path in paths:
        if is_within(wanted.storage, path):
            raise UsageError(f"{os.fsdecode(path)} holds the store itself: name what is in it")
    journal = load(wanted.storage)
    mover = Mover(journal, frozenset(mount.mountpoint for mount in own_mounts()), {})
    looked = [_looked(mover, path) for path in paths]
    to_do = {found.path: tree for found, tree in looked if found.outcome in _TO_DO and tree}
    _check_room(mover, to_do, wanted.storage)
    held = tuple(holders(tuple(to_do)))
    if wanted.dry_run:
        moved = tuple(found for found, _ in looked)
        for each in moved:
            tell(each)
        return MoveReport(storage=wanted.storage, moved=moved, holders=held)
    _check_rights(to_do, wanted.storage)
    troubles: list[str] = []
    to_stop = _units_to_stop(wanted, held) if wanted.stop and to_do else []
    with _stopped(journal, to_stop, troubles) as stopped:
        if to_stop:
            # What a unit writes while it stops is part of its state.
            looked = [_looked(mover, path) for path in paths]
        writers = {} if wanted.live else _writers(tuple(to_do))
        moved = tuple(_moved(mover, found, tree, writers, tell) for found, tree in looked)
    return MoveReport(
        storage=wanted.storage,
        moved=moved,
        holders=held,
        stopped=tuple(stopped),
        troubles=tuple(troubles),
    )


def undo_move(storage: bytes, paths: Sequence[bytes], tell: Tell) -> MoveReport:
    """Remove the copies that were made: those of `paths`, or all. Raises ImptraceError."""
    journal = load(storage)
    if not journal.copies and not journal.made:
        raise UsageError(f"nothing was moved into {os.fsdecode(storage)}")
    mover = Mover(journal, frozenset(), {})
    wanted = [path for path in journal.copies if not paths or path in paths]
    moved = []
    for path in wanted:
        try:
            found = mover.undo(path)
        except OSError as error:
            found = Moved(path=path, outcome=MoveOutcome.FAILED, note=_reason(error))
        moved.append(found)
        tell(found)
        if found.is_done:
            del journal.copies[path]
            journal.save()
    _remove_parents(journal)
    return MoveReport(storage=storage, moved=tuple(moved))


def outermost(paths: Iterable[bytes]) -> list[bytes]:
    """Leave out what lies below another one."""
    known = set(paths)
    return sorted(path for path in known if known.isdisjoint(parents_of(path)))


def _looked(mover: Mover, path: bytes) -> tuple[Moved, MovedTree | None]:
    try:
        return mover.look(path)
    except OSError as error:
        return Moved(path=path, outcome=MoveOutcome.FAILED, note=_reason(error)), None


def _moved(
    mover: Mover, found: Moved, tree: MovedTree | None, writers: dict[bytes, Holder], tell: Tell
) -> Moved:
    if found.outcome in _TO_DO and tree is not None:
        holder = writers.get(found.path)
        if holder is not None:
            note = f"{holder.program} (pid {holder.pid}) writes to {os.fsdecode(holder.path)}"
            found = Moved(path=found.path, outcome=MoveOutcome.IN_USE, size=found.size, note=note)
        else:
            try:
                found = mover.copy(found.path, tree, found)
            except OSError as error:
                found = Moved(path=found.path, outcome=MoveOutcome.FAILED, note=_reason(error))
    elif found.outcome is MoveOutcome.THERE:
        with suppress(OSError):
            mover.tidy(found.path)
    tell(found)
    return found


def _check_room(mover: Mover, to_do: dict[bytes, MovedTree], storage: bytes) -> None:
    """Refuse before anything is copied."""
    there = next(path for path in (storage, *parents_of(storage), b"/") if os.path.isdir(path))
    found = os.statvfs(there)
    blocks = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    free = blocks * found.f_frsize
    needed = sum(mover.needed(path, tree) for path, tree in to_do.items())
    if needed > free:
        raise ImptraceError(
            f"{os.fsdecode(storage)} has {free:,} bytes left, and the copies need {needed:,}: "
            "make room first; nothing was copied"
        )


def _check_rights(to_do: dict[bytes, MovedTree], storage: bytes) -> None:
    """Refuse what only root can do: to give files to others, and to write into the store."""
    own = os.geteuid()
    if own == 0 or not to_do:
        return
    there = next(path for path in (storage, *parents_of(storage), b"/") if os.path.isdir(path))
    strangers = any(node.uid != own for tree in to_do.values() for node in tree.nodes.values())
    if strangers or not os.access(there, os.W_OK):
        raise NeedsRootError("copying with owners into the store needs root")


class NeedsRootError(ImptraceError):
    """The same must be done by root."""


def _writers(paths: Sequence[bytes]) -> dict[bytes, Holder]:
    found: dict[bytes, Holder] = {}
    for holder in holders(paths):
        top = next(path for path in paths if is_within(holder.path, path))
        if holder.writes:
            found.setdefault(top, holder)
    return found


def _units_to_stop(wanted: MoveOptions, held: Sequence[Holder]) -> list[str]:
    """Those that run, of whom the paths are and who hold files open."""
    return manager.running((*wanted.units, *(each.unit for each in held if each.unit)))


@contextmanager
def _stopped(journal: Journal, units: Sequence[str], troubles: list[str]) -> Iterator[list[str]]:
    """Stop units, and start exactly those again, whatever happens in between.

    What an interrupted move has left stopped is started too.
    """
    stopped: list[str] = []
    try:
        for unit in units:
            # Written down first: even killed here, the next move starts it.
            journal.stopped.append(unit)
            journal.save()
            why = manager.stop(unit)
            if why is None:
                stopped.append(unit)
            else:
                troubles.append(f"{unit} did not stop: {why}")
        yield stopped
    finally:
        for unit in list(dict.fromkeys(journal.stopped)):
            why = manager.start(unit)
            if why is not None:
                troubles.append(f"{unit} did not start again: {why}")
        if journal.stopped:
            journal.stopped.clear()
            journal.save()


def _remove_parents(journal: Journal) -> None:
    """Remove the directories that were made for copies, as far as they are empty again."""
    for parent in reversed(list(journal.made)):
        path = journal.storage.rstrip(b"/") + parent
        try:
            os.rmdir(path)
        except FileNotFoundError:
            pass
        except OSError:
            continue
        journal.made.remove(parent)
    if journal.copies or journal.made:
        journal.save()
    else:
        journal.drop()


def _reason(error: OSError) -> str:
    return f"{os.fsdecode(error.filename) if error.filename else ''}: {error.strerror}".lstrip(": ")
