"""What a rehearsal has shown: the second start held against one without a wipe. Pure."""

import errno
import grp
import os
import pwd
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from imptrace.db.records import AccessRecord, Effect, PathRecord, RunDetails
from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import is_within, name_of, parents_of
from imptrace.kept.rehearse.model import Finding, How, Keep, Plan, Rehearsed, Thing, Trouble
from imptrace.kept.rehearse.rehearsing import AGAIN, BEFORE, FIRST, UNWIPED
from imptrace.tracer.events import CHANGES, Op, Outcome

_OPEN_TO_OTHERS = 0o077
_LOGS = b"/var/log"
_DYNAMIC = range(61184, 65520)
"""Numbers of dynamic users (systemd's UIDS-GIDS.md)."""


@dataclass(frozen=True, slots=True)
class PathVerdicts:
    """What the classifier says of the paths: of the same recordings."""

    levels: Mapping[bytes, Level]
    """Paths that are state, with the care they need."""
    set_aside: frozenset[bytes]
    """Paths that need not last: temporary, locks, sockets, caches of the kernel."""

    def matters(self, path: bytes) -> bool:
        """Whether it is bad to lose a path."""
        if path in self.set_aside:
            return False
        level = self.levels.get(path, Level.NORMAL)
        # A log is there to be read by people, and most are glad to lose it.
        return level > (Level.NORMAL if is_within(path, _LOGS) else Level.TRANSIENT)


def findings(
    plan: Plan, rehearsed: Rehearsed, runs: Mapping[str, RunDetails], judged: PathVerdicts
) -> list[Finding]:
    """List all that is wrong, the worst first."""
    lost = [*_lost(plan, rehearsed, runs, judged)]
    found = [
        *lost,
        *_lost_whole(plan, rehearsed, runs, judged, {finding.path for finding in lost}),
        *_replaced(plan, rehearsed, runs),
        *_owners(plan, rehearsed, runs),
        *_levels(plan, judged),
        *_codes(rehearsed),
    ]
    return sorted(found, key=lambda finding: (list(Trouble).index(finding.trouble), finding.path))


def came_back(plan: Plan, rehearsed: Rehearsed, runs: Mapping[str, RunDetails]) -> list[bytes]:
    """List what the second start found as the first had left it."""
    read = (
        _without_storage(record.path, plan)
        for record in runs[AGAIN].paths
        if record.effect is not Effect.CREATED
        and any(access.outcome is Outcome.OK for access in record.accesses)
    )
    return sorted(
        {
            path
            for path in read
            if _is_kept_file(path, plan, rehearsed)
            and any(is_within(path, keep.path) for keep in plan.keeps)
        }
    )


def _without_storage(path: bytes, plan: Plan) -> bytes:
    """Name what was reached through a link into the store by its own name."""
    return path.removeprefix(plan.storage) if is_within(path, plan.storage) else path


def _is_kept_file(path: bytes, plan: Plan, rehearsed: Rehearsed) -> bool:
    thing = rehearsed.kept.get(path)
    return thing.kind == "file" if thing is not None else plan.existing and os.path.isfile(path)


def _lost(
    plan: Plan, rehearsed: Rehearsed, runs: Mapping[str, RunDetails], judged: PathVerdicts
) -> Iterator[Finding]:
    """Yield what was wiped, and then looked for in vain or made anew."""
    again = {record.path: record for record in runs[AGAIN].paths}
    by_copy = {keep.path for keep in plan.keeps if keep.how is How.COPY}
    unwiped = {record.path: record for record in runs[UNWIPED].paths} if UNWIPED in runs else {}
    for path, thing in rehearsed.made.items():
        record = again.get(path)
        if (
            path in by_copy
            or thing.kind == "directory"
            or record is None
            or not judged.matters(path)
        ):
            continue
        if path in unwiped and not _needs_what_was(unwiped[path]):
            continue
        level = judged.levels.get(path)
        if record.effect is Effect.CREATED:
            yield Finding(trouble=Trouble.LOST, path=path, words="made anew", level=level)
        elif any(access.outcome is Outcome.MISSING for access in record.accesses):
            yield Finding(trouble=Trouble.LOST, path=path, words="looked for in vain", level=level)


def _lost_whole(
    plan: Plan,
    rehearsed: Rehearsed,
    runs: Mapping[str, RunDetails],
    judged: PathVerdicts,
    said: Collection[bytes],
) -> Iterator[Finding]:
    """Yield wiped directories in which a start that finds them reads what it did not name before.

    Their files may have other names at every start, so that none of them is looked for in vain.
    """
    read = [
        record.path
        for record in (runs[UNWIPED].paths if UNWIPED in runs else ())
        if record.path in rehearsed.reference
        and rehearsed.reference[record.path].kind == "file"
        and record.effect is not Effect.CREATED
        and any(each.op is Op.READ and each.outcome is Outcome.OK for each in record.accesses)
        and judged.matters(record.path)
    ]
    used_again = {record.path for record in runs[AGAIN].paths}
    tops = {_wiped_top(path, plan, rehearsed) for path in read} - {None}
    for top in sorted(top for top in tops if top is not None and top in used_again):
        if not any(is_within(path, top) for path in said):
            level = max(
                (judged.levels.get(path, Level.NORMAL) for path in read if is_within(path, top)),
                key=lambda level: level.rank,
            )
            words = "the files in it, which the next start reads, are gone"
            yield Finding(trouble=Trouble.LOST, path=top, words=words, level=level)


def _wiped_top(path: bytes, plan: Plan, rehearsed: Rehearsed) -> bytes | None:
    """Name the directory that was wiped with a path: the outermost in which nothing is kept."""
    found = None
    if any(is_within(path, keep.path) for keep in plan.keeps):
        return None
    for parent in parents_of(path):
        thing = rehearsed.made.get(parent)
        is_around = any(is_within(keep.path, parent) for keep in plan.keeps)
        if thing is None or thing.kind != "directory" or (is_around and found is not None):
            break
        found = parent
        if is_around:
            break
    return found


def _needs_what_was(record: PathRecord) -> bool:
    """Whether a start that finds a path does more than to write it anew."""
    worked = [access for access in record.accesses if access.outcome is Outcome.OK]
    if not any(access.op in CHANGES for access in worked):
        return bool(worked)
    if any(access.op is Op.RENAME and access.to is not None for access in worked):
        return True  # what was there goes on under another name
    emptied = {Op.TRUNCATE, Op.DELETE, Op.RENAME, Op.SYMLINK}
    return record.read_first or not any(access.op in emptied for access in worked)


def _replaced(
    plan: Plan, rehearsed: Rehearsed, runs: Mapping[str, RunDetails]
) -> Iterator[Finding]:
    files = {
        keep.path for keep in plan.keeps if keep.kind is Kind.FILE and keep.how is not How.COPY
    }
    said = set()
    for path in sorted(files & rehearsed.made.keys()):
        said.add(path)
        words = "its program replaces it, and what it puts there is not in the store"
        yield Finding(trouble=Trouble.REPLACED, path=path, words=words)
    for label in (FIRST, AGAIN):
        for record in runs[label].paths:
            for access in record.accesses:
                target = access.to if access.to in files else record.path
                if target in files and target not in said and _replaces(access):
                    said.add(target)
                    words = (
                        f"its program replaces it ({access.op}): "
                        "a mount refuses that with EBUSY, a link is lost"
                    )
                    yield Finding(trouble=Trouble.REPLACED, path=target, words=words)


def _replaces(access: AccessRecord) -> bool:
    """Whether a call would put another file in the place.

    A recorder that sees calls before the kernel does takes one onto a mount for one that works.
    """
    if access.outcome is Outcome.FAILED:
        return access.errno == errno.EBUSY
    return access.op is Op.RENAME and access.outcome is Outcome.OK


def _owners(plan: Plan, rehearsed: Rehearsed, runs: Mapping[str, RunDetails]) -> Iterator[Finding]:
    refused = _refused(runs, BEFORE) | _refused(runs, UNWIPED)
    now = _refused(runs, FIRST) | _refused(runs, AGAIN)
    for keep in plan.keeps:
        there = rehearsed.reference.get(keep.path)
        # What is a dynamic user's systemd gives to whoever has the number at a start.
        fits = there is None or there.uid in _DYNAMIC
        words = None if fits or there is None else _misfit(keep, there)
        path = next((each for each in sorted(now - refused) if is_within(each, keep.path)), None)
        if path is not None:
            yield Finding(
                trouble=Trouble.OWNER, path=path, words=f"refused to the program{_owned(keep)}"
            )
        elif words is not None:
            yield Finding(trouble=Trouble.OWNER, path=keep.path, words=words)


def _refused(runs: Mapping[str, RunDetails], label: str) -> set[bytes]:
    if label not in runs:
        return set()
    return {
        record.path
        for record in runs[label].paths
        if any(access.outcome is Outcome.DENIED for access in record.accesses)
    }


def _misfit(keep: Keep, there: Thing) -> str | None:
    """Say in what a kept path's owner or mode is not what its program gives it."""
    user, group = _names(there)
    if keep.user is not None and keep.user != user:
        return f"kept for {keep.user}, and its program gives it to {user}"
    if keep.group is not None and keep.group != group:
        return f"kept for the group {keep.group}, and its program gives it to {group}"
    if keep.mode is None:
        return None
    if there.mode & ~keep.mode & 0o700:
        return f"kept with mode {keep.mode:04o}, and its program needs {there.mode:04o}"
    if keep.level is Level.SECRET and keep.mode & ~there.mode & _OPEN_TO_OTHERS:
        return f"secret, kept with mode {keep.mode:04o}; its program has it at {there.mode:04o}"
    return None


def _names(thing: Thing) -> tuple[str, str]:
    user, group = str(thing.uid), str(thing.gid)
    with suppress(KeyError):
        user = pwd.getpwuid(thing.uid).pw_name
    with suppress(KeyError):
        group = grp.getgrgid(thing.gid).gr_name
    return user, group


def _owned(keep: Keep) -> str:
    who = ":".join(name for name in (keep.user, keep.group) if name)
    mode = f"{keep.mode:04o}" if keep.mode is not None else ""
    said = " ".join(part for part in (who, mode) if part)
    return f"; {said} is kept" if said else ""


def _levels(plan: Plan, judged: PathVerdicts) -> Iterator[Finding]:
    """Yield what is kept with less care than is in it."""
    for keep in plan.keeps:
        inside = [
            (level, path)
            for path, level in judged.levels.items()
            if _is_nearest(path, keep, plan) and not _is_told(path, level, keep, plan)
        ]
        worst = max(inside, default=None, key=lambda each: each[0].rank)
        if worst is not None and keep.level is not None and worst[0] > keep.level:
            level, path = worst
            yield Finding(
                trouble=Trouble.LEVEL,
                path=path,
                words=f"{level}, and kept as {keep.level} with {printable_name(keep.path)}",
                level=level,
            )


def _is_nearest(path: bytes, keep: Keep, plan: Plan) -> bool:
    above = [each.path for each in plan.keeps if is_within(path, each.path)]
    return bool(above) and max(above, key=len) == keep.path


def _is_told(path: bytes, level: Level, keep: Keep, plan: Plan) -> bool:
    """Whether a file of this name is kept with such care in the same directory.

    A profile that a start makes afresh has a name of chance: the advice names the same file in
    another one.
    """
    return any(
        each.level is not None and each.level >= level and name_of(each.path) == name_of(path)
        for each in plan.keeps
        if each.kind is Kind.FILE and is_within(each.path, keep.path)
    )


def printable_name(path: bytes) -> str:
    """Give a path as text; whoever shows it escapes it."""
    return path.decode(errors="surrogateescape")


def _codes(rehearsed: Rehearsed) -> Iterator[Finding]:
    labels = {start.label for start in rehearsed.starts}
    pairs, how = [(FIRST, BEFORE), (AGAIN, UNWIPED)], "without a wipe"
    if BEFORE in labels and _works_only_kept(rehearsed):
        # What it needs is made by whoever keeps it: no start without that can be compared with.
        pairs, how = [(AGAIN, FIRST)], "before the wipe"
    for ours, theirs in pairs:
        if theirs not in labels:
            continue
        one, other = rehearsed.start(ours), rehearsed.start(theirs)
        if one.code != other.code and not one.was_ended and not other.was_ended:
            said = next((line for line in reversed(one.stderr.splitlines()) if line.strip()), "")
            words = f"the {ours} start exits with {one.code}, {how} with {other.code}"
            yield Finding(
                trouble=Trouble.EXIT, path=b"", words=words + (f": {said}" if said else "")
            )


def _works_only_kept(rehearsed: Rehearsed) -> bool:
    """Whether it fails, always, where its directories are not made for it, and else works."""
    return rehearsed.start(FIRST).code == 0 and all(
        rehearsed.start(label).code != 0 for label in (BEFORE, UNWIPED)
    )
