"""Several units that were named together: by one word, or in one command."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from imptrace.errors import UsageError
from imptrace.record.service.boot import withdraw
from imptrace.record.service.manager import Manager
from imptrace.record.service.named import Named
from imptrace.record.service.place import RecordingFiles
from imptrace.record.service.recording import is_recorded, reset


def taken(word: str, named: Sequence[Named], manager: Manager) -> list[Named]:
    """Leave out what is not being recorded; one that is meant alone is for others to judge.

    Raises UsageError where nothing is left.
    """
    if len(named) == 1:
        return list(named)
    places = {each: RecordingFiles(each.unit, manager) for each in named}
    found = [each for each, place in places.items() if is_recorded(place) or place.boot_files()]
    if not found:
        raise UsageError(
            f"no unit of {word} is being recorded: imptrace service start {word} does that"
        )
    return found


def take_back(each: Named, manager: Manager, *, restart: bool) -> bool:
    """Remove every trace of a recording and of a request; answer whether there was one."""
    was_requested = withdraw(RecordingFiles(each.unit, manager))
    return reset(each.unit, manager, restart=restart and each.may_restart) or was_requested


@contextmanager
def all_or_none(manager: Manager, *, restart: bool) -> Iterator[list[Named]]:
    """Take back what was begun by then, and put into the list, if anything fails.

    `restart`: whether what runs is being restarted for it.
    """
    begun: list[Named] = []
    try:
        yield begun
    except BaseException:
        for each in begun:
            take_back(each, manager, restart=restart)
        raise
