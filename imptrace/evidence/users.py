"""Users, groups and homes of the machine that runs were recorded on."""

import grp
import os
import pwd
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from imptrace.db.records import RunDetails
from imptrace.evidence.machine import Elsewhere
from imptrace.facts.people import FIRST_PERSON_UID, Home, is_person
from imptrace.judge.model import User

_ORDINARY_ROOT = "root"
_IN_A_HOME = re.compile(rb"/home/[^/]+/")


def local_users(runs: Sequence[RunDetails]) -> tuple[User, ...]:
    """Tell the users of this machine, and those of the runs whom it does not know (any longer)."""
    users = _users()
    known, homes = {user.uid for user in users}, {user.home for user in users}
    strangers = [run for run in runs if run.run.uid not in known]
    told = foreign_users(strangers, Elsewhere()) if strangers else ()
    return (*users, *(each for each in told if each.uid not in known and each.home not in homes))


def _users() -> tuple[User, ...]:
    return tuple(
        User(name=user.pw_name, uid=user.pw_uid, gid=user.pw_gid, home=os.fsencode(user.pw_dir))
        for user in pwd.getpwall()
    )


def foreign_users(runs: Sequence[RunDetails], elsewhere: Elsewhere) -> list[User]:
    """Tell the users of another machine: those that came along, else those of $HOME in the runs."""
    if elsewhere.users:
        return list(elsewhere.users)
    found: dict[int, User] = {0: User(name=_ORDINARY_ROOT, uid=0, gid=0, home=b"/root")}
    for run in runs:
        for process in run.processes:
            home = process.environ.get("HOME")
            if home and (process.uid not in found or process.uid == run.run.uid):
                is_asker = process.uid == run.run.uid
                name = run.run.user if is_asker else os.fsdecode(home.rpartition(b"/")[2])
                found[process.uid] = User(name=name, uid=process.uid, gid=process.gid, home=home)
    return [*found.values(), *_by_place(runs, found)]


def _by_place(runs: Iterable[RunDetails], known: Mapping[int, User]) -> Iterator[User]:
    """Tell of homes that nothing names, by their place: /home/NAME is NAME's."""
    homes = {user.home for user in known.values()}
    uid = next((run.run.uid for run in runs if is_person(run.run.uid)), FIRST_PERSON_UID)
    paths = (path.path for run in runs for path in run.paths if path.effect is not None)
    for name in sorted({path.split(b"/")[2] for path in paths if _IN_A_HOME.match(path)}):
        home = b"/home/" + name
        if home not in homes:
            while uid in known:
                uid += 1
            yield User(name=os.fsdecode(name), uid=uid, gid=uid, home=home)
            uid += 1


def local_groups() -> dict[int, str]:
    """Tell the groups of this machine."""
    return {group.gr_gid: group.gr_name for group in grp.getgrall()}


def home_of(runs: Sequence[RunDetails]) -> Home | None:
    """Tell the home of whoever ran the newest run."""
    if not runs:
        return None
    run = runs[-1].run
    homes = (each.environ.get("HOME") for each in runs[-1].processes if each.uid == run.uid)
    home = next((each for each in homes if each), None)
    return Home(user=run.user, path=home) if home and run.user else None


def homes_of(runs: Iterable[RunDetails]) -> set[bytes]:
    """Tell the home directories of whoever ran something."""
    processes = [process for run in runs for process in run.processes]
    return {home for process in processes if (home := process.environ.get("HOME"))}


def own_home() -> Home | None:
    """Tell the home of whoever asks."""
    try:
        user = pwd.getpwuid(os.getuid())
    except KeyError:
        return None
    return Home(user=user.pw_name, path=os.fsencode(os.environ.get("HOME") or user.pw_dir))
