"""A root is kept as a whole; what needs more care or less than the whole is a part of its own."""

from collections.abc import Iterator, Mapping, Sequence

from imptrace.facts.paths import is_within, name_of
from imptrace.judge.codes import Code
from imptrace.judge.inner import outside
from imptrace.judge.judged import Root, State
from imptrace.judge.lone_files import dearer_files, is_dearer, lone_files
from imptrace.judge.lowering import cache_directory
from imptrace.judge.model import Level, Reason
from imptrace.judge.ownership import Ownership
from imptrace.judge.part_directories import cache_directories, valued_directories
from imptrace.judge.piece import MOST_REASONS, Piece, directory_piece, file_piece, level_reasons
from imptrace.judge.secret_parts import is_for_secrets, secret_directories
from imptrace.judge.versions import is_repository
from imptrace.judge.words import COMPANIONS

_SEVERAL = 2
"""So many secret directories with nothing beside them, and what is around them is secret."""


def pieces_of(root: Root, ownership: Ownership, *, fixed: Level | None = None) -> list[Piece]:
    """What to keep of a root: itself first, then the parts of it that need another level.

    `fixed`: the level that the catalogue gives the root. What is found inside is told at its
    own where that is higher, and changes it only where there is more of it than can be told.
    Empty if nothing in it has any content.
    """
    first = root.states[0]
    if len(root.states) == 1 and first.path == root.path and first.is_file:
        return [file_piece(first, ownership, fixed)]
    if fixed is None and root.path in root.judged.tagged:
        reason = cache_directory(root.path, root.place.area, root.judged.tagged)
        told = (reason,) if reason is not None else ()
        return [directory_piece(root.path, root, ownership, Level.TRANSIENT, told)]
    return _pieces(root, ownership, fixed)


def _pieces(root: Root, ownership: Ownership, fixed: Level | None) -> list[Piece]:
    caches = cache_directories(root)
    rest = outside(root.states, caches)
    secrets = secret_directories(root, rest)
    rest = outside(rest, secrets)
    valued = valued_directories(root, rest, fixed)
    rest = outside(rest, valued)
    lone = lone_files(rest, root.place.area) if fixed is None else dearer_files(rest, fixed)
    base = [state for state in rest if state.is_file and state not in lone]
    if fixed is None and is_for_secrets(root, rest):
        reasons = level_reasons(rest, Level.SECRET)
        return [directory_piece(root.path, root, ownership, Level.SECRET, reasons)]
    if not base and not valued and fixed is None:
        base, lone = lone, []
    level = _level_around(base, root, fixed)
    parts = [
        *_directories(caches, root, ownership, Level.TRANSIENT),
        *_directories(secrets, root, ownership, Level.SECRET),
        *_directories(valued, root, ownership, Level.IMPORTANT),
        *(file_piece(state, ownership) for state in lone),
    ]
    parts = [part for part in parts if _is_worth(part, level)]
    if not base and fixed is None and not (valued and lone) and not _has_more(root, parts):
        return parts if len(secrets) < _SEVERAL else [_all_secret(root, ownership, secrets)]
    reasons = level_reasons(base, level) if level is not fixed else ()
    return [directory_piece(root.path, root, ownership, level, reasons), *parts]


def _directories(
    found: Mapping[bytes, Reason], root: Root, ownership: Ownership, level: Level
) -> Iterator[Piece]:
    for path, reason in found.items():
        yield directory_piece(path, root, ownership, level, (reason,))


def _has_more(root: Root, parts: Sequence[Piece]) -> bool:
    """Whether the subject made directories in a root beside the parts that have content so far."""
    kept = [part.path for part in parts]
    return root.path in root.judged.made and any(
        not state.is_file
        and state.path != root.path
        and not any(is_within(state.path, path) or is_within(path, state.path) for path in kept)
        for state in root.states
    )


def _level_around(base: Sequence[State], root: Root, fixed: Level | None) -> Level:
    """The level of what has no part of its own: the catalogue's, unless dearer files abound."""
    if fixed is not None:
        return max((each.level for each in base if is_dearer(each, fixed)), default=fixed)
    weighty = {state.level for state in base if not _is_beside_the_point(state)}
    level = max(weighty, default=root.place.area.level)
    return max(level, Level.IMPORTANT) if is_repository(root) else level


def _all_secret(root: Root, ownership: Ownership, secrets: Mapping[bytes, Reason]) -> Piece:
    """Keep a root as a whole of which only secret directories were seen: a later run makes more."""
    return directory_piece(
        root.path, root, ownership, Level.SECRET, tuple(secrets.values())[:MOST_REASONS]
    )


def _is_beside_the_point(state: State) -> bool:
    """Whether a file says nothing of the worth of its directory.

    What stands beside a database matters as much as that, wherever that is kept; and one run may
    have written a log and nothing else.
    """
    is_log = any(
        reason.code == Code.CACHE_WORD and reason.figures.get("word") == "log"
        for reason in state.reasons
    )
    return is_log or name_of(state.path).endswith(COMPANIONS)


def _is_worth(part: Piece, level: Level) -> bool:
    """Whether a part of a root of `level` says anything that the root does not."""
    has_content = any(state.is_file for state in part.members)
    if part.level is Level.TRANSIENT:
        return level is not Level.TRANSIENT and has_content
    is_for_secrets = part.level is Level.SECRET and part.members[0].is_private
    return part.level > level and (has_content or is_for_secrets)
