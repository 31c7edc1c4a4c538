"""Where the subject's own part of a place begins: the fewest directories, or single files."""

from collections.abc import Sequence

from imptrace.facts.content import DATABASE_HINTS
from imptrace.facts.paths import common_directory, is_within, name_of, parent_of, parents_of
from imptrace.judge.judged import Judged, State
from imptrace.judge.model import Method
from imptrace.judge.places import Area, Place
from imptrace.judge.words import COMPANIONS, MAILDIR, ONE_OF_MANY

_MOST_LONE_FILES = 3


def roots_of(anchor: bytes, place: Place, states: Sequence[State], judged: Judged) -> list[bytes]:
    """Where the subject's own part of an anchor begins: one directory or several, or files."""
    roots = _roots_of(anchor, place, states, judged)
    if place.area in (Area.ETC, Area.DOCUMENT):
        return roots
    return _with_companions(roots, states, judged)


def _with_companions(
    roots: Sequence[bytes], states: Sequence[State], judged: Judged
) -> list[bytes]:
    """Keep a database with its directory: other files belong to it, and come and go."""
    databases = {state.path for state in states if state.is_file and _is_database(state)}
    whole = {
        parent_of(root) if root in databases and not judged.places.is_container(parent_of(root))
        else root
        for root in roots
    }  # fmt: skip
    return sorted(root for root in whole if not any(above in whole for above in parents_of(root)))


def _is_database(state: State) -> bool:
    name = name_of(state.path)
    return state.facts.hint in DATABASE_HINTS or name.endswith(COMPANIONS)


def _roots_of(anchor: bytes, place: Place, states: Sequence[State], judged: Judged) -> list[bytes]:
    if all(state.path == anchor for state in states) and states[0].is_file:
        return [anchor]
    if place.area is Area.ETC:
        return _configuration_roots(states, judged)
    programs = frozenset[bytes]().union(*{state.facts.programs for state in states})
    name = judged.names.match(name_of(anchor), programs)
    is_family = name in judged.names.first_parts and not (
        anchor in judged.made or (place.home is None and judged.is_of_own_user(anchor))
    )
    if name and place.area is not Area.DOCUMENT and not (is_family and _made_below(states, judged)):
        return [anchor]
    children = {_child(anchor, state.path) for state in states if state.path != anchor}
    if not place.area.is_cache and place.area is not Area.DOCUMENT:
        all_named = all(judged.names.match(name_of(child), programs) for child in children)
        if children and all_named:
            return sorted(children)
    if anchor in judged.made or place.area.is_cache:
        return [anchor]
    return _narrow(anchor, states, judged)


def _made_below(states: Sequence[State], judged: Judged) -> bool:
    """Whether all of the files are in directories that the subject made for itself."""
    return all(
        any(parent in judged.made for parent in parents_of(state.path))
        for state in states
        if state.is_file
    )


def _narrow(anchor: bytes, states: Sequence[State], judged: Judged) -> list[bytes]:
    """Roots in a directory that was there before and that nothing names for the subject."""
    files = [state for state in states if state.is_file]
    if not files:
        return [anchor]
    deepest = _whole(common_directory(state.path for state in files))
    made = [each for each in (deepest, *parents_of(deepest)) if each in judged.made]
    own = [each for each in made if is_within(each, anchor)]
    if own:
        return [own[-1]]
    lone = len(files) <= _MOST_LONE_FILES and all(
        state.method is not Method.NONE and not _is_one_of_many(state) for state in files
    )
    if lone or judged.places.is_container(deepest):
        return sorted(state.path for state in files)
    children = {_child(deepest, state.path) for state in files}
    if children <= judged.made:
        return sorted(children)
    return [deepest]


def _is_one_of_many(state: State) -> bool:
    """Whether a file is new in a directory that was there: the next run may add another one.

    Events, jobs and messages are files of their own, of which a run shows but those that it made,
    whatever later runs do to these.
    """
    is_told = state.path.endswith(ONE_OF_MANY) or name_of(parent_of(state.path)) in MAILDIR
    return bool(state.facts.created) and (is_told or state.place.area is not Area.DOCUMENT)


def _configuration_roots(states: Sequence[State], judged: Judged) -> list[bytes]:
    """Below /etc a directory is kept only if nothing but the subject's own files is in it.

    What it reads there and never changes is configuration, which activation writes.
    """
    roots: set[bytes] = set()
    for state in states:
        directory = parent_of(state.path)
        is_own = directory != b"/etc" and directory not in judged.read_only_beside
        if state.is_file:
            roots.add(directory if is_own else state.path)
    return sorted(root for root in roots if not any(above in roots for above in parents_of(root)))


def _whole(directory: bytes) -> bytes:
    """The mail folder that a directory is a part of: of a Maildir, new mail is moved to `cur`."""
    return parent_of(directory) if name_of(directory) in MAILDIR else directory


def _child(directory: bytes, path: bytes) -> bytes:
    """The entry of `directory` that `path` is or lies in."""
    return directory + b"/" + path[len(directory) + 1 :].split(b"/")[0]
