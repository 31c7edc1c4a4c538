"""From a machine to the answer: layout, walk, writers, options."""

import json
import os
import pwd
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine

from imptrace.catalogue import shipped
from imptrace.db.changers import asked_of
from imptrace.errors import UsageError
from imptrace.facts.conventions import common_name
from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import is_within, parents_of
from imptrace.facts.patterns import is_called
from imptrace.facts.people import Home
from imptrace.judge.codes import Code
from imptrace.judge.model import Reason, Scope
from imptrace.judge.places import Places
from imptrace.kept.boot import Boot, this_boot
from imptrace.kept.gaps import gaps
from imptrace.kept.ignored import ignored
from imptrace.kept.keeping import Keeping
from imptrace.kept.leaks.find import Finder, starts_in
from imptrace.kept.leaks.found import Found
from imptrace.kept.leaks.ground import Ground
from imptrace.kept.leaks.lines import CatalogueLines
from imptrace.kept.leaks.made import installed, made_by_tmpfiles, skeleton
from imptrace.kept.leaks.model import Answer, Leak, LeakPiece
from imptrace.kept.leaks.served import Served, started_services
from imptrace.kept.machine import KEPT_FILE
from imptrace.kept.system import places_of_users, users_of
from imptrace.kept.walk import Tree
from imptrace.kept.wiped import DiskLayout, Said, layout
from imptrace.kept.writers import Attribution, Writers, declared_by_units
from imptrace.tracer.mountinfo import own_mounts

_BOOT = "boot"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaksQuestion:
    """What was asked."""

    paths: tuple[bytes, ...] = ()
    said: Said = field(default_factory=Said)
    base: bytes = b"/"
    since: str | None = None
    least: Level | None = None
    user: str | None = None
    unit: str | None = None
    detailed: bool = False
    """Also name each path that was set aside."""


def answer(question: LeaksQuestion, engine: Engine | None) -> Answer:
    """Find what the next boot takes. Raises UsageError where the question makes no sense."""
    with closing(_tree(question.base)) as tree:
        return _answer(question, tree, engine)


def _answer(question: LeaksQuestion, tree: Tree, engine: Engine | None) -> Answer:
    boot = this_boot()
    since_ns = _since(question.since, boot)
    mounts = own_mounts() if not tree.base else ()
    seen = layout(mounts, question.said, tree, boot)
    users = users_of(tree)
    places = places_of_users(users)
    wanted = question.paths or _own_places(tree)
    ground = Ground(
        tree=tree,
        places=places,
        lines=CatalogueLines(shipped(), places),
        points=seen.points | _own_installation(),
        boot=boot,
        served=Served(boot, started_services() if not tree.base else ()),
        installed=installed(tree),
        tmpfiles=made_by_tmpfiles(tree),
        skeleton=skeleton(tree),
        is_ignored=ignored(tree),
    )
    found = _walk(ground, seen, wanted, detailed=question.detailed)
    names = {user.uid: user.name for user in users}
    writers = Writers(
        units=declared_by_units() if not tree.base else (), users=names, recorded=asked_of(engine)
    )
    keeping = Keeping(stores=seen.stores, backend=_backend(tree))
    leaks = (_leak(piece, writers, keeping, places, names) for piece in _apart(found.pieces))
    return Answer(
        file_systems=seen.file_systems,
        stores=seen.stores,
        places=wanted,
        leaks=tuple(
            sorted((leak for leak in leaks if _fits(leak, question, since_ns)), key=_order)
        ),
        counts=dict(found.counts),
        set_aside=tuple(found.set_aside),
        left_out=tuple(found.left_out),
        gaps=gaps(engine),
    )


def _own_installation() -> frozenset[bytes]:
    """Name where this program itself is: as its installation left it."""
    return frozenset({os.fsencode(sys.prefix)} if sys.prefix != sys.base_prefix else ())


def _tree(base: bytes) -> Tree:
    try:
        return Tree(base)
    except OSError as error:
        raise UsageError(f"{os.fsdecode(base)} cannot be read: {error.strerror}") from error


def _walk(ground: Ground, seen: DiskLayout, wanted: Sequence[bytes], *, detailed: bool) -> Found:
    found = Found(detailed=detailed)
    finder = Finder(ground, found)
    for root in seen.wiped:
        others = {each.path for each in seen.file_systems if each.path != root.path}
        starts = [
            start
            for start in dict.fromkeys(starts_in(root.path, wanted))
            if not any(
                each in others and is_within(each, root.path)
                for each in (start, *parents_of(start))
            )
        ]
        finder.walk(starts, is_fresh=root.is_fresh)
    return found


def _own_places(tree: Tree) -> tuple[bytes, ...]:
    """Name what somebody may ask about: root the machine, others their own home."""
    if os.geteuid() == 0 or tree.base:
        return ()
    with suppress(KeyError):
        return (os.fsencode(pwd.getpwuid(os.getuid()).pw_dir),)
    return (os.path.expanduser(b"~"),)


def _since(text: str | None, boot: Boot) -> int:
    if text is None:
        return 0
    if text == _BOOT:
        return boot.finished_ns
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time: write --since boot, 2026-11-29 or 2026-11-29T08:30"
        ) from None
    return int(moment.timestamp() * 1_000_000_000)


def _backend(tree: Tree) -> str | None:
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = json.loads(tree.read_text(str(KEPT_FILE))).get("backend")
        return str(found) if found else None
    return None


def _apart(pieces: Iterable[LeakPiece]) -> list[LeakPiece]:
    """Join pieces that say the same as the one around them; leave out what is empty."""
    by_path: dict[bytes, LeakPiece] = {}
    for piece in pieces:
        there = by_path.get(piece.path)
        by_path[piece.path] = piece if there is None else _joined(there, piece)
    for path in sorted(by_path, key=len, reverse=True):
        piece = by_path[path]
        above = next((by_path[each] for each in parents_of(path) if each in by_path), None)
        if above is not None and _holds_as_much(above, piece):
            del by_path[path]
            by_path[above.path] = _joined(above, piece)
    return [piece for piece in by_path.values() if piece.files]


def _holds_as_much(above: LeakPiece, piece: LeakPiece) -> bool:
    """Whether what is said of a piece is said of the directory around it already."""
    is_its_own = piece.known is None or (
        above.known is not None and above.known.entry is piece.known.entry
    )
    return above.kind is Kind.DIRECTORY and above.level is piece.level and is_its_own


def _joined(one: LeakPiece, other: LeakPiece) -> LeakPiece:
    """Add another piece's sums to one's."""
    more = replace(one)
    if other.files:
        more.add(other.size, other.mtime_ns, other.uid, other.gid)
        more.files += other.files - 1
    if other.level > one.level:
        more.level, more.reasons = other.level, other.reasons
    return more


def _leak(
    piece: LeakPiece, writers: Writers, keeping: Keeping, places: Places, names: dict[int, str]
) -> Leak:
    home = places.home_of(piece.path)
    attribution = writers.of(piece.path, piece.known, piece.uid, places.place_of(piece.path))
    return Leak(
        path=piece.path,
        kind=piece.kind,
        size=piece.size,
        files=piece.files,
        mtime_ns=piece.mtime_ns,
        level=piece.level,
        scope=_scope(piece, home),
        user=names.get(piece.uid, str(piece.uid)),
        writers=attribution.writers,
        attributed=attribution.attributed,
        option=keeping.option(piece.path, piece.kind, piece.known, home),
        reasons=(*piece.reasons, *_reasons(attribution)),
    )


def _scope(piece: LeakPiece, home: Home | None) -> Scope:
    if piece.known is not None:
        return piece.known.scope
    return Scope.SHARED if common_name(piece.path, home) is not None else Scope.OWNED


def _reasons(attribution: Attribution) -> tuple[Reason, ...]:
    """Say what else is known of a path than what it is."""
    declared = tuple(
        Reason(code=Code.UNIT_DECLARES, figures={"property": each.partition(" ")[2] or each})
        for each in attribution.declared_by
    )
    if attribution.named_for is None:
        return declared
    figures = {"component": attribution.named_for, "name": attribution.named_for}
    return (*declared, Reason(code=Code.NAMED, figures=figures))


def _fits(leak: Leak, question: LeaksQuestion, since_ns: int) -> bool:
    """Whether somebody asked for it."""
    users = {leak.user, *(writer.user for writer in leak.writers)}
    units = {writer.unit for writer in leak.writers if writer.unit is not None}
    return (
        leak.mtime_ns >= since_ns
        and (question.least is None or leak.level >= question.least)
        and (question.user is None or question.user in users)
        and (
            question.unit is None
            or any(is_called(unit, _unit_names(question.unit)) for unit in units)
        )
    )


def _unit_names(unit: str) -> tuple[str, ...]:
    return (unit, f"{unit}.service")


def _order(leak: Leak) -> tuple[int, int, bytes]:
    return -leak.level.rank, -leak.size, leak.path
