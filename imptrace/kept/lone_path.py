"""A path that a user names without any recording of it, described as a recommendation."""

import grp
import os
import pwd
import stat

from imptrace.catalogue import shipped
from imptrace.catalogue.model import Entry, EntryPlace, KeptPath
from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import is_within
from imptrace.facts.patterns import matches
from imptrace.facts.people import Home, is_person
from imptrace.judge.codes import Code
from imptrace.judge.model import Reason, Recommendation, Scope


def lone_path(path: bytes) -> Recommendation:
    """Describe a path by what is on disk, and by what the catalogue says of it."""
    home = _home(path)
    known = _known(path, home)
    try:
        found: os.stat_result | None = os.stat(path)
    except OSError:
        found = None
    # What is not there yet has a file's name if it has an ending.
    guessed = Kind.FILE if b"." in path.rpartition(b"/")[2][1:] else Kind.DIRECTORY
    kind = known[1].kind if known else guessed
    if found is not None:
        kind = Kind.DIRECTORY if stat.S_ISDIR(found.st_mode) else Kind.FILE
    exact = known[1] if known and path.endswith(known[1].path) else None
    return Recommendation(
        path=path,
        kind=kind,
        scope=Scope.OWNED,
        level=known[1].level if known else Level.NORMAL,
        user=_user(found.st_uid) if found else exact.user if exact else None,
        group=_group(found.st_gid) if found else exact.group if exact else None,
        mode=stat.S_IMODE(found.st_mode) if found else exact.mode if exact else None,
        confidence=1.0,
        observed=False,
        covers=1,
        reasons=(_reason(known),),
        home=home,
    )


def homes() -> dict[str, bytes]:
    """List the home directories of people."""
    return {
        each.pw_name: os.fsencode(each.pw_dir)
        for each in pwd.getpwall()
        if is_person(each.pw_uid) and each.pw_dir not in ("", "/")
    }


def _home(path: bytes) -> Home | None:
    people = [each for each in pwd.getpwall() if is_person(each.pw_uid) or each.pw_uid == 0]
    inside = [
        each
        for each in people
        if each.pw_dir not in ("", "/") and is_within(path, os.fsencode(each.pw_dir))
    ]
    best = max(inside, key=lambda each: len(each.pw_dir), default=None)
    return None if best is None else Home(user=best.pw_name, path=os.fsencode(best.pw_dir))


def _known(path: bytes, home: Home | None) -> tuple[Entry, KeptPath] | None:
    for entry in shipped():
        name = path
        if entry.place is EntryPlace.HOME:
            if home is None:
                continue
            name = path.removeprefix(home.path.rstrip(b"/") + b"/")
        for kept in (*entry.persist, *entry.shared):
            if matches(name, kept.path):
                return entry, kept
    return None


def _reason(known: tuple[Entry, KeptPath] | None) -> Reason:
    if known is None:
        return Reason(code=Code.ASKED_FOR)
    entry, kept = known
    return Reason(code=Code.CATALOGUED, figures={"entry": entry.title, "path": kept.path})


def _user(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _group(gid: int) -> str | None:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return None
