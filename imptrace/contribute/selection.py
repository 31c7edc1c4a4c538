"""Which recommendations go into a contribution, and in which words. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from imptrace.catalogue.model import Entry, EntryPlace
from imptrace.contribute.proposal import HeldBack, ProposedPath, shown
from imptrace.contribute.public_words import public_comment, public_reason
from imptrace.errors import UsageError
from imptrace.facts.paths import is_within, relative_to
from imptrace.facts.patterns import matches
from imptrace.facts.people import PrivateNames
from imptrace.judge.codes import Code
from imptrace.judge.model import Advice, Method, Recommendation, Scope

LONGEST_COMMENT = 80
_SURE_ENOUGH = 0.6
_ALL_THE_SAME = "--include writes it all the same"
_OF_THIS_MACHINE = (b"/srv/", b"/mnt/", b"/media/", b"/opt/", b"/usr/local/")


@dataclass(frozen=True, slots=True)
class Selection:
    """The paths that may be written down, and those that may not, with why."""

    paths: tuple[ProposedPath, ...]
    held_back: tuple[HeldBack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides about a recommendation besides itself."""

    place: EntryPlace
    entry: Entry | None
    shared: Collection[bytes]
    """Paths that were asked for by name, though they are shared or of this machine."""
    private: PrivateNames
    has_own_dropins: bool = False
    """The unit was changed on this machine, so that what it declares is not everybody's."""


def select(advice: Advice, rules: Rules) -> Selection:
    """Choose the recommendations that are evidence, and good for everybody.

    Raises UsageError for a shared path that was asked for and is not among them.
    """
    known = {each.path for each in advice.recommendations}
    for path in rules.shared:
        if path not in known:
            raise UsageError(
                f"{shown(path)} is not among the recommendations: `imptrace recommend` lists them"
            )
    paths: dict[str, ProposedPath] = {}
    held_back = []
    for each in advice.recommendations:
        why = _obstacle(each, rules)
        if why is None:
            kept = _kept(each, rules)
            paths.setdefault(kept.path, kept)
        else:
            held_back.append(HeldBack(path=_readable(each.path), why=why))
    return Selection(tuple(paths.values()), tuple(held_back))


def _obstacle(each: Recommendation, rules: Rules) -> str | None:
    """Say why a recommendation is not to be written, None if it is."""
    path = _relative(each)
    in_home = each.home is not None
    obstacles = (
        (
            each.scope is Scope.SHARED and each.path not in rules.shared,
            f"others use it too: {_ALL_THE_SAME}",
        ),
        (not each.observed, "it is declared, and the recordings do not show it"),
        (
            each.confidence < _SURE_ENOUGH,
            "it is hardly sure that it is the program's own: record more of it",
        ),
        (
            rules.has_own_dropins
            and _main(each) == Code.UNIT_DECLARES
            and each.path not in rules.shared
            and not _is_known(path, rules.entry),
            f"the unit declares it, and this machine's own drop-ins change it: {_ALL_THE_SAME}",
        ),
        (
            _main(each) == Code.MADE_BY
            and rules.entry is not None
            and each.path not in rules.shared
            and not _is_known(path, rules.entry),
            f"neither its name nor the unit says that it is the service's: {_ALL_THE_SAME}",
        ),
        (
            each.method is Method.NONE,
            "its program replaces it and its directory is not its own: no entry would work",
        ),
        (in_home and rules.place is EntryPlace.SERVICE, "it lies in a home directory"),
        (not in_home and rules.place is EntryPlace.HOME, "it lies outside the home directory"),
        (
            (each.on_nixos is not None and each.on_nixos.is_pattern)
            or any(
                matches(path, kept.path) for kept in (rules.entry.instances if rules.entry else ())
            ),
            "it belongs to one instance: the catalogue describes them all at once",
        ),
        (
            each.on_nixos is None
            and each.path.startswith(_OF_THIS_MACHINE)
            and not _is_known(path, rules.entry),
            "it is a place of this machine's own",
        ),
        (
            each.on_nixos is None
            and each.path.startswith(b"/var/log/")
            and not _is_known(path, rules.entry),
            "its place is this distribution's, and not known of NixOS",
        ),
        (not _is_printable(path), "its name cannot be written as text"),
        (
            rules.private.stand_in(path),
            "its name holds the name of a user or of this host",
        ),
    )
    return next((why for applies, why in obstacles if applies), None)


def _main(each: Recommendation) -> str:
    """Name the reason that counts most: whose a path is, before what was seen of it."""
    return each.reasons[0].code


def _kept(each: Recommendation, rules: Rules) -> ProposedPath:
    path = _relative(each)
    reason = public_reason(each.reasons) or "observed"
    note = _note(path, rules.entry)
    shared = "shared with other programs; " if each.scope is Scope.SHARED else ""
    kept = ProposedPath(
        path=path.decode(),
        kind=each.kind,
        level=each.level,
        user=_public(each.user, rules),
        group=_public(each.group, rules),
        mode=each.mode,
        method=each.method,
        comment=_shortened(shared + (note or public_comment(each.reasons))) or None,
        reason=shared + reason,
    )
    return _as_on_nixos(kept, each, rules)


def _shortened(text: str) -> str:
    """Keep whole parts of a sentence, as many as a line of a file takes."""
    kept = ""
    for part in re.split(r"(?<=[;.])\s+", text):
        if len(kept) + len(part) > LONGEST_COMMENT:
            break
        kept += f"{part} "
    if kept or len(text) <= LONGEST_COMMENT:
        return (kept or text).strip().rstrip(";.")
    return text.partition(",")[0] if len(text.partition(",")[0]) <= LONGEST_COMMENT else ""


def _is_known(path: bytes, entry: Entry | None) -> bool:
    return entry is not None and any(
        matches(path, kept.path) or is_within(path, kept.path)
        for kept in (*entry.persist, *entry.shared)
    )


def _as_on_nixos(path: ProposedPath, each: Recommendation, rules: Rules) -> ProposedPath:
    """Put data that was seen where another distribution keeps it in NixOS' own place."""
    there = each.on_nixos
    if there is None:
        return path
    name = _relative(replace(each, path=there.path))
    return replace(
        path,
        path=name.decode(),
        kind=there.kind,
        user=there.user,
        group=there.group,
        mode=there.mode,
        comment=_note(name, rules.entry) or path.comment,
        reason=f"seen in {path.path}; {path.reason}",
    )


def _relative(each: Recommendation) -> bytes:
    """Name a path in a home directory relative to it."""
    return each.path if each.home is None else relative_to(each.path, each.home.path)


def _note(path: bytes, entry: Entry | None) -> str | None:
    """Find what the catalogue notes about exactly this path."""
    kept = (*entry.persist, *entry.shared) if entry is not None else ()
    return next((each.note for each in kept if each.path == path and each.note), None)


def _public(name: str | None, rules: Rules) -> str | None:
    """Keep the name of an owner unless it is somebody's."""
    return None if name is None or rules.private.stand_in(name) else name


def _is_printable(path: bytes) -> bool:
    try:
        return path.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _readable(path: bytes) -> str:
    return path.decode(errors="backslashreplace")
