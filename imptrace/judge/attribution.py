"""Whose each entry of a container is, and which pieces of it to keep."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from imptrace.catalogue import KeptPath, Written
from imptrace.facts.paths import is_within, parent_of, parents_of
from imptrace.judge.codes import Code
from imptrace.judge.judged import Judged, Root, State
from imptrace.judge.known import Known
from imptrace.judge.model import Figure, Kind, Method, Reason, Scope
from imptrace.judge.ownership import Ownership, ownership_of
from imptrace.judge.piece import Piece, empty_piece
from imptrace.judge.pieces import pieces_of
from imptrace.judge.places import Area
from imptrace.judge.roots import roots_of
from imptrace.judge.words import BACKUP, BACKUPS

_COUNTED_REPOSITORIES = 138
_CATALOGUED = 0.92


def attributed_pieces(judged: Judged) -> list[Piece]:
    """What to keep of everything that is state, and whose it is."""
    by_line: dict[bytes, list[State]] = {}
    lines: dict[bytes, Known] = {}
    unknown: list[State] = []
    for state in judged.states:
        known = state.known
        kept = known.kept if known is not None else None
        if known is None or kept is None:
            unknown.append(state)
        elif _needs_its_directory(state, kept, judged):
            reasons = (_catalogued(known), *state.reasons)
            unknown.append(state._replace(level=kept.level, reasons=reasons))
        else:
            by_line.setdefault(known.path, []).append(state)
            lines[known.path] = known
    found = [
        each for path, states in by_line.items() for each in _known(lines[path], states, judged)
    ]
    return [*found, *_unknown(unknown, frozenset(lines), judged)]


def _needs_its_directory(state: State, kept: KeptPath, judged: Judged) -> bool:
    """Whether the catalogue's single file was seen to be replaced, in a directory of its own."""
    if kept.kind is not Kind.FILE or kept.is_pattern or state.place.area is Area.ETC:
        return False
    directory = parent_of(state.path)
    if kept.written is Written.IF_ABSENT and not state.facts.modified:
        return False  # made once: the catalogue knows that the rename is not repeated
    return state.method is Method.NONE and not judged.places.is_container(directory)


def _known(known: Known, states: Sequence[State], judged: Judged) -> Iterator[Piece]:
    kept = known.kept
    if kept is None:
        return
    root = Root(path=known.path, place=states[0].place, states=tuple(states), judged=judged)
    scope = _scope(known, root)
    ownership = Ownership(scope=scope, reason=_catalogued(known), confidence=_CATALOGUED)
    for each in pieces_of(root, ownership, fixed=kept.level):
        piece = replace(each, known=known)
        if piece.path == known.path:
            method = _method(piece, kept.written) if piece.kind is Kind.FILE else piece.method
            piece = replace(piece, method=method, notes=tuple(notes_of(kept)))
            piece = _explained(piece, judged)
        yield piece


def _scope(known: Known, root: Root) -> Scope:
    """A place of a program that did not run is that one's, unless it is named for the subject."""
    if not known.is_foreign:
        return known.scope
    components = known.path[len(root.place.container) :].strip(b"/").split(b"/")
    is_named = any(root.judged.names.match(each, root.changed_by) for each in components)
    return known.scope if is_named else Scope.SHARED


def _method(piece: Piece, written: Written) -> Method:
    """How the catalogue and what was seen together say that a file can be kept."""
    if written is Written.LINK or any(state.facts.target for state in piece.members):
        return Method.SYMLINK
    if written is Written.RENAME:
        return Method.NONE
    was_there = any(state.facts.modified for state in piece.members)
    if written is Written.IF_ABSENT and not was_there:
        return Method.SYMLINK
    return piece.method


def _catalogued(known: Known) -> Reason:
    figures: dict[str, Figure] = {"entry": known.entry.title, "path": known.path}
    return Reason(code=Code.CATALOGUED, figures=figures)


def notes_of(kept: KeptPath) -> Iterator[Reason]:
    """Tell what else the catalogue says of a path that it keeps."""
    if kept.repos:
        figures = {"repos": kept.repos, "of": _COUNTED_REPOSITORIES}
        yield Reason(code=Code.COUNTED, figures=figures)
    if kept.early_boot:
        yield Reason(code=Code.EARLY_BOOT)
    if kept.note:
        yield Reason(code=Code.NOTE, figures={"text": kept.note})


def _unknown(states: Iterable[State], known: frozenset[bytes], judged: Judged) -> Iterator[Piece]:
    by_anchor: dict[bytes, list[State]] = {}
    for state in states:
        by_anchor.setdefault(state.place.anchor, []).append(state)
    for anchor, group in by_anchor.items():
        place = group[0].place
        for root in _beside(known, roots_of(anchor, place, group, judged), group):
            members = tuple([state for state in group if is_within(state.path, root)])
            if members and not _is_backup(root, judged):
                yield from _whole(
                    Root(path=root, place=members[0].place, states=members, judged=judged)
                )


def _is_backup(path: bytes, judged: Judged) -> bool:
    """Whether a path is an older copy of the file beside it, which is kept for itself."""
    original = next(
        (path.removesuffix(end) for end in (BACKUP, *BACKUPS) if path.endswith(end)), None
    )
    return original is not None and original in judged.changed


def _beside(
    known: frozenset[bytes], roots: Iterable[bytes], states: Sequence[State]
) -> Iterator[bytes]:
    """Split a root that would swallow what the catalogue knows: what is left beside that."""
    above = {parent for path in known for parent in parents_of(path)} | known
    for root in roots:
        if root not in above:
            yield root
            continue
        inside = (state.path for state in states if is_within(state.path, root))
        yield from sorted({_topmost_outside(path, root, above) for path in inside} - above)


def _topmost_outside(path: bytes, root: bytes, above: frozenset[bytes] | set[bytes]) -> bytes:
    """The topmost directory above `path` that is not above anything known; or the path itself."""
    topmost = path
    for parent in parents_of(path):
        if parent in above or not is_within(parent, root):
            break
        topmost = parent
    return topmost


def _whole(root: Root) -> Iterator[Piece]:
    ownership = ownership_of(root)
    for piece in pieces_of(root, ownership) or _empty(root, ownership):
        yield _explained(piece, root.judged)


def _empty(root: Root, ownership: Ownership) -> list[Piece]:
    """A directory that the subject made for itself, and left empty: it will write there.

    So it will where a directory that is called like it was there for it, and it made others in it.
    """
    if any(state.is_file for state in root.states) or not _is_prepared(root, ownership):
        return []
    return [empty_piece(root, ownership)]


def _is_prepared(root: Root, ownership: Ownership) -> bool:
    made = root.judged.made
    if root.path in made:
        return True
    is_named = ownership.reason.code in (Code.NAMED, Code.UNIT_DECLARES, Code.SERVICE_HOME)
    is_its_own = is_named and root.judged.is_of_own_user(root.path)
    return is_its_own and any(state.path in made for state in root.states)


def _explained(piece: Piece, judged: Judged) -> Piece:
    """Say of a replaced file whose directory cannot be kept either that no entry works."""
    if piece.method is not Method.NONE:
        return piece
    directory = parent_of(piece.path)
    if directory in judged.read_only_beside:
        code = Code.MIXED_DIRECTORY
    elif piece.members[0].place.area is Area.DOCUMENT:
        code = Code.DOCUMENT_REPLACED
    else:
        code = Code.NO_ENTRY_WORKS
    figures = {"path": piece.path, "directory": directory}
    return replace(piece, reasons=(*piece.reasons, Reason(code=code, figures=figures)))
