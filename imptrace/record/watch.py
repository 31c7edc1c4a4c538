"""What `imptrace watch` is to record: the machine, a unit, or a user, and on which file systems."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imptrace.errors import ImptraceError
from imptrace.facts.paths import is_within, parents_of
from imptrace.record.attach import chosen_by_unit
from imptrace.tracer import targets
from imptrace.tracer.bpf.recorder import EVERYBODY, BpfRecorder, Where, watch
from imptrace.tracer.events import RunScope
from imptrace.tracer.mountinfo import own_mounts
from imptrace.tracer.program import RunSubject, find_user, user_name, working_directory
from imptrace.tracer.recorder import AttachError, RecorderOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is to be recorded."""

    where: Where
    subject: RunSubject
    words: str
    """What it is, for a message."""
    scope: RunScope = RunScope.MACHINE
    pids: tuple[int, ...] = ()
    service: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


def the_machine(user: str | None, paths: Sequence[bytes], wiped: Iterable[bytes] | None) -> Watched:
    """Choose the machine, or the processes of a user. `wiped`: file systems; None for all.

    Raises UsageError.
    """
    found = find_user(user) if user else None
    # What was recorded of the machine can be told from the command line, which is kept.
    of_paths = [word for path in paths for word in (b"--path", path)]
    words = [*((b"--user", found.name.encode()) if found else ()), *of_paths]
    subject = RunSubject(
        program=b"watch",
        argv=(
            b"imptrace",
            b"watch",
            *words,
            *(() if wiped is not None or paths else (b"--all-mounts",)),
        ),
        cwd=working_directory(),
        user=found.name if found else user_name(os.geteuid()),
        uid=found.uid if found else os.geteuid(),
    )
    where = Where(
        machine=True,
        user=found.uid if found else EVERYBODY,
        devices=_devices(wiped),
        below=tuple(paths),
    )
    told = f"the processes of {found.name}" if found else "the machine"
    return Watched(where=where, subject=subject, words=told)


def a_unit(
    word: str,
    known: Callable[[str], Iterable[str]],
    paths: Sequence[bytes],
    wiped: Iterable[bytes] | None,
) -> Watched:
    """Choose a unit, with what it starts later. Raises UsageError, ImptraceError."""
    choice = chosen_by_unit(word, known)
    return Watched(
        where=Where(group=choice.group, devices=_devices(wiped), below=tuple(paths)),
        subject=choice.subject,
        words=choice.service or word,
        scope=RunScope.UNIT,
        pids=choice.pids,
        service=choice.service,
        properties=choice.properties,
    )


def holds(where: Where) -> Callable[[bytes], bool]:
    """Say of paths whether they lie where something is recorded."""
    mounted = {mount.mountpoint: _device(mount.device) for mount in own_mounts()}

    def is_wanted(path: bytes) -> bool:
        if where.below and not any(is_within(path, top) for top in where.below):
            return False
        if not where.devices:
            return True
        top = next((each for each in (path, *parents_of(path)) if each in mounted), b"/")
        return mounted.get(top) in where.devices

    return is_wanted


def begin(watched: Watched, options: RecorderOptions) -> BpfRecorder:
    """Begin to record. Raises ImptraceError."""
    try:
        return watch(options, watched.where, watched.pids)
    except AttachError as error:
        raise targets.refusal(error.pid, error.errno) from None


def _devices(tops: Iterable[bytes] | None) -> tuple[int, ...]:
    if tops is None:
        return ()
    # Not st_dev, which btrfs has one of for each subvolume.
    mounted = {mount.mountpoint: _device(mount.device) for mount in own_mounts()}
    devices = tuple(dict.fromkeys(mounted[top] for top in tops if top in mounted))
    if not devices:
        raise ImptraceError("no file system here is wiped by a boot; --all-mounts records all")
    return devices


def _device(text: str) -> int:
    major, minor = map(int, text.split(":"))
    return os.makedev(major, minor)
