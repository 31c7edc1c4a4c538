"""Takes out of runs what would tell who recorded them where. Pure functions.

What is kept of a run is what the classifier judges by. What it does not look at (arguments, working
directory, host, exact times) is blanked; what it needs is renamed, always in the same way, so that
two paths below one home directory stay below one home directory.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from imptrace.db.records import (
    Accesses,
    OtherPrograms,
    PathRecord,
    ProcessRecord,
    RunDetails,
    RunRecord,
)
from imptrace.evidence.machine import Elsewhere
from imptrace.facts.people import FIRST_PERSON_UID, PrivateNames, is_person
from imptrace.facts.units import PUBLIC_PROPERTIES, unit_of
from imptrace.judge.model import User
from imptrace.tracer.events import FileState, Mount

DAY_NS = 86_400_000_000_000
HOST = "elsewhere"
_UID_IN_PATH = re.compile(rb"(?<=/run/user/)\d+|(?<=/user-)\d+(?=\.slice)|(?<=/user@)\d+")


@dataclass(frozen=True, slots=True)
class Renaming:
    """What stands for what: the same for every run that leaves together."""

    names: PrivateNames
    ids: Mapping[int, int]
    """uids and gids of people."""

    def path(self, path: bytes) -> bytes:
        """Rename a path, or any other text of the system's."""
        renamed = self.names.replaced(path)
        return _UID_IN_PATH.sub(lambda match: b"%d" % self.id(int(match[0])), renamed)

    def text(self, text: str) -> str:
        """Rename words in text."""
        renamed = self.path(text.encode(errors="surrogateescape"))
        return renamed.decode(errors="surrogateescape")

    def id(self, number: int) -> int:
        """Rename a uid or gid."""
        return self.ids.get(number, number)


def renaming(
    names: PrivateNames, runs: Iterable[RunDetails], machine: Elsewhere | None = None
) -> Renaming:
    """Give each person's uid and gid that occurs a number from 1000 on."""
    numbers: set[int] = set()
    for user in machine.users if machine else ():
        numbers.update((user.uid, user.gid))
    for details in runs:
        numbers.add(details.run.uid)
        numbers.update(process.uid for process in details.processes)
        numbers.update(process.gid for process in details.processes)
        for path in details.paths:
            for state in (path.before, path.after):
                if state is not None:
                    numbers.update((state.uid, state.gid))
    people = sorted(number for number in numbers if is_person(number))
    return Renaming(names, dict(zip(people, range(FIRST_PERSON_UID, 1 << 31), strict=False)))


def anonymised(details: RunDetails, rename: Renaming) -> RunDetails:
    """Rename and blank one run. Its paths are all still there."""
    return RunDetails(
        run=_run(details.run, rename),
        processes=tuple(_process(process, rename) for process in details.processes),
        paths=tuple(
            sorted((_path(path, rename) for path in details.paths), key=lambda path: path.path)
        ),
        mounts=_mounts(details, rename),
    )


def anonymised_machine(machine: Elsewhere, rename: Renaming) -> Elsewhere:
    """Rename the people, places and programs of a machine."""
    return Elsewhere(
        system=machine.system,
        version=machine.version,
        users=tuple(
            User(
                name=rename.text(each.name),
                uid=rename.id(each.uid),
                gid=rename.id(each.gid),
                home=rename.path(each.home),
            )
            for each in machine.users
        ),
        groups={rename.id(gid): rename.text(name) for gid, name in machine.groups.items()},
        directories={
            rename.path(path): _blanked(state, rename)
            for path, state in machine.directories.items()
        },
        other_uses={
            rename.path(path): OtherPrograms(
                readers=tuple(map(rename.path, uses.readers)),
                writers=tuple(map(rename.path, uses.writers)),
            )
            for path, uses in machine.other_uses.items()
        },
    )


def _run(run: RunRecord, rename: Renaming) -> RunRecord:
    day = run.started_ns - run.started_ns % DAY_NS
    program = rename.path(run.program)
    return replace(
        run,
        label=None,
        program=program,
        argv=(program,),
        cwd=b"/",
        user=rename.text(run.user),
        uid=rename.id(run.uid),
        service=None if run.service is None else rename.text(run.service),
        host=HOST,
        started_ns=day,
        ended_ns=None if run.ended_ns is None else day,
        properties={
            key: rename.text(value)
            for key, value in run.properties.items()
            if key in PUBLIC_PROPERTIES
        },
        # The words of a warning may name anything; its code says what it is about.
        warnings=tuple((code, "") for code, _ in run.warnings),
    )


def _process(process: ProcessRecord, rename: Renaming) -> ProcessRecord:
    cgroup = _cgroup(rename.path(process.cgroup))
    return replace(
        process,
        pid=process.id,
        exe=rename.path(process.exe),
        argv=(),
        cwd=b"/",
        uid=rename.id(process.uid),
        gid=rename.id(process.gid),
        cgroup=cgroup,
        unit=unit_of(cgroup),
        environ={name: rename.path(value) for name, value in process.environ.items()},
    )


def _cgroup(cgroup: bytes) -> bytes:
    """Keep the unit of a service of the system; sessions and scopes say only who was there."""
    unit = unit_of(cgroup)
    if unit is None or not cgroup.startswith(b"/system.slice/"):
        return b"/"
    return f"/system.slice/{unit}".encode()


def _path(path: PathRecord, rename: Renaming) -> PathRecord:
    before, after = _states(path.before, path.after, rename)
    accesses = Accesses(
        access._replace(
            to=None if access.to is None else rename.path(access.to),
            origin=None if access.origin is None else rename.path(access.origin),
        )
        for access in path.accesses
    )
    return path._replace(
        path=rename.path(path.path),
        accesses=accesses,
        before=before,
        after=after,
    )


def _states(
    before: FileState | None, after: FileState | None, rename: Renaming
) -> tuple[FileState | None, FileState | None]:
    """Keep of times and inodes only whether they changed: that is what tells the effect."""
    if before is None:
        return None, None if after is None else _blanked(after, rename)
    first = _blanked(before, rename)
    if after is None:
        return first, None
    return first, _blanked(after, rename)._replace(
        mtime_ns=int(after.mtime_ns != before.mtime_ns),
        ctime_ns=int(after.ctime_ns != before.ctime_ns),
        inode=int(after.inode != before.inode),
        device=int(after.device != before.device),
    )


def _blanked(state: FileState, rename: Renaming) -> FileState:
    return state._replace(
        uid=rename.id(state.uid),
        gid=rename.id(state.gid),
        mtime_ns=0,
        ctime_ns=0,
        inode=0,
        device=0,
        link=None if state.link is None else rename.path(state.link),
    )


def _mounts(details: RunDetails, rename: Renaming) -> tuple[Mount, ...]:
    """Keep the mounts that any of the paths lies on, without what was mounted there."""
    above = {b"/"}
    for path in details.paths:
        parts = path.path.split(b"/")
        above.update(b"/".join(parts[:count]) for count in range(2, len(parts) + 1))
    return tuple(
        mount._replace(
            mountpoint=rename.path(mount.mountpoint),
            root=rename.path(mount.root),
            source=b"" if b"/" in mount.source or b":" in mount.source else mount.source,
            options="ro" if "ro" in mount.options.split(",") else "rw",
        )
        for mount in details.mounts
        if mount.mountpoint in above
    )
