"""A root is kept as a whole; what needs more care or less than the whole is a part of its own."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from imptrace.facts.content import Hint
from imptrace.facts.paths import is_within, name_of, parent_of, parents_of
from imptrace.judge.codes import Code
from imptrace.judge.judged import Root, State
from imptrace.judge.known import Known
from imptrace.judge.level import cache_directory, secret_word, user_data_word
from imptrace.judge.model import Figure, Kind, Level, Method, Reason
from imptrace.judge.ownership import Ownership
from imptrace.judge.places import Area
from imptrace.judge.words import COMPANIONS, LOG, ON_THE_WAY, is_of_others, words_of

_MOST_PARTS = 8
"""More lone files than this, and the whole directory gets their level instead: where they are all
important, or secret and most of what is in it. Some secrets among much else stay apart."""
_MOSTLY = 2
"""Where one file in so many is a secret, most are."""
_SECRET_SHARE = 4
"""A directory of whose files one in so many is a secret is secret as a whole."""
_SEVERAL = 2
"""So many secret directories with nothing beside them, and what is around them is secret."""
_MOST_VALUED = 2
"""More directories of what people make, and the whole is important."""
_MOST_REASONS = 3
FEW_FILES = 8
"""So few files in a closed directory of the system are there for the secret among them."""
_KEYS = (Hint.PRIVATE_KEY, Hint.KEYRING)
_KEY_AREAS = (Area.DATA, Area.STATE, Area.DOT, Area.SYSTEM_STATE)
_OF_A_REPOSITORY = (b"HEAD", b"objects", b"refs")
_GIT = "git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One directory or file to keep."""

    path: bytes
    kind: Kind
    level: Level
    reasons: tuple[Reason, ...]
    """Why it has this level, and what was seen of how it is written."""
    members: tuple[State, ...]
    """All states that it is or holds."""
    ownership: Ownership
    """Whose it is."""
    method: Method = Method.BIND
    known: Known | None = None
    """What the catalogue says about it."""
    notes: tuple[Reason, ...] = ()
    """What else the catalogue says."""


def pieces_of(root: Root, ownership: Ownership, *, fixed: Level | None = None) -> list[Piece]:
    """What to keep of a root: itself first, then the parts of it that need another level.

    `fixed`: the level that the catalogue gives the root. What is found inside is told at its
    own where that is higher, and changes it only where there is more of it than can be told.
    Empty if nothing in it has any content.
    """
    first = root.states[0]
    if len(root.states) == 1 and first.path == root.path and first.is_file:
        return [_file(first, ownership, fixed)]
    return _pieces(root, ownership, fixed)


def _pieces(root: Root, ownership: Ownership, fixed: Level | None) -> list[Piece]:
    if fixed is None and root.path in root.judged.tagged:
        reason = cache_directory(root.path, root.place.area, root.judged.tagged)
        told = (reason,) if reason is not None else ()
        return [_directory(root.path, root, ownership, Level.TRANSIENT, told)]
    caches = _cache_directories(root)
    rest = _outside(root.states, caches)
    secrets = _secret_directories(root, rest)
    rest = _outside(rest, secrets)
    valued = _valued_directories(root, rest, fixed)
    rest = _outside(rest, valued)
    lone = _lone_files(rest, root.place.area) if fixed is None else _dearer_files(rest, fixed)
    base = [state for state in rest if state.is_file and state not in lone]
    if fixed is None and _is_for_secrets(root, rest):
        reasons = _level_reasons(rest, Level.SECRET)
        return [_directory(root.path, root, ownership, Level.SECRET, reasons)]
    if not base and not valued and fixed is None:
        base, lone = lone, []
    level = _level_around(base, root, fixed)
    parts = [
        *(
            _directory(each, root, ownership, Level.TRANSIENT, (reason,))
            for each, reason in caches.items()
        ),
        *(
            _directory(each, root, ownership, Level.SECRET, (reason,))
            for each, reason in secrets.items()
        ),
        *(
            _directory(each, root, ownership, Level.IMPORTANT, (reason,))
            for each, reason in valued.items()
        ),
        *(_file(state, ownership) for state in lone),
    ]
    parts = [part for part in parts if _is_worth(part, level)]
    if not base and fixed is None and not (valued and lone) and not _has_more(root, parts):
        return parts if len(secrets) < _SEVERAL else [_all_secret(root, ownership, secrets)]
    reasons = _level_reasons(base, level) if level is not fixed else ()
    return [_directory(root.path, root, ownership, level, reasons), *parts]


def _is_for_secrets(root: Root, states: Sequence[State]) -> bool:
    """Whether a root is there for the keys in it.

    Where every other file is a key, what is beside it belongs to it; and so it is with the few
    files of a system's directory that only its owner may enter, one of which is a secret.
    """
    files = [state for state in states if state.is_file]
    if root.place.area is Area.SYSTEM_STATE and len(files) <= FEW_FILES:
        is_closed = root.judged.is_private(root.path)
        return is_closed and any(state.level is Level.SECRET for state in files)
    secrets = [state for state in files if state.level is Level.SECRET]
    keys = [state for state in secrets if state.facts.hint in _KEYS]
    return root.place.area in _KEY_AREAS and 0 < len(files) <= len(keys) * _MOSTLY


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
        return max((each.level for each in base if _is_dearer(each, fixed)), default=fixed)
    weighty = {state.level for state in base if not _is_beside_the_point(state)}
    level = max(weighty, default=root.place.area.level)
    return max(level, Level.IMPORTANT) if _is_repository(root) else level


def _is_repository(root: Root) -> bool:
    """Whether a root is itself a repository of versions, of which the older are nowhere else."""
    paths = [state.path for state in root.states]
    return not root.place.area.is_cache and _holds_versions(root.path, paths)


def _holds_versions(directory: bytes, paths: Sequence[bytes]) -> bool:
    return all(_is_in(paths, directory + b"/" + name) for name in _OF_A_REPOSITORY)


def _is_in(paths: Sequence[bytes], wanted: bytes) -> bool:
    """Whether one of sorted paths is `wanted` or lies in it: such begin where that would stand."""
    for beginning in (wanted, wanted + b"/"):
        at = bisect_left(paths, beginning)
        if at < len(paths) and is_within(paths[at], wanted):
            return True
    return False


def empty_piece(root: Root, ownership: Ownership) -> Piece:
    """What to keep of a directory without any content: itself."""
    level, reason = _level_by_name(root)
    return Piece(
        path=root.path,
        kind=Kind.DIRECTORY,
        level=level,
        reasons=(reason,),
        members=root.states,
        ownership=ownership,
    )


def _level_by_name(root: Root) -> tuple[Level, Reason]:
    """The level of a directory of which nothing but its name and place is known."""
    area = root.place.area
    word = None if area.is_cache else user_data_word(name_of(root.path), area)
    if word is not None:
        named: dict[str, Figure] = {"word": word, "path": root.path}
        return Level.IMPORTANT, Reason(code=Code.USER_DATA_WORD, figures=named)
    figures = {"area": area.value, "container": root.place.container}
    return area.level, Reason(code=Code.PLACE, figures=figures)


def _all_secret(root: Root, ownership: Ownership, secrets: Mapping[bytes, Reason]) -> Piece:
    """Keep a root as a whole of which only secret directories were seen: a later run makes more."""
    return _directory(
        root.path, root, ownership, Level.SECRET, tuple(secrets.values())[:_MOST_REASONS]
    )


def _cache_directories(root: Root) -> dict[bytes, Reason]:
    """The topmost directories below a root that are caches."""
    if root.place.area.is_cache:
        return {}
    found: dict[bytes, Reason] = {}
    for directory in _inner_directories(root.path, root.states):
        reason = cache_directory(directory, root.place.area, root.judged.tagged)
        if reason is None or _holds_conversations(directory, root, reason):
            continue
        if _holder(directory, found) is None:
            found[directory] = reason
    return found


def _holds_conversations(directory: bytes, root: Root, reason: Reason) -> bool:
    """Whether a directory of logs holds what people said, which nobody can make again."""
    is_log = reason.figures.get("word") in LOG
    return is_log and any(_is_valued_in(directory, state) for state in root.states)


def _secret_directories(root: Root, states: Sequence[State]) -> dict[bytes, Reason]:
    """The topmost directories below a root that are named for secrets, or consist of them."""
    found: dict[bytes, Reason] = {}
    if root.place.area is not Area.DOCUMENT:
        for directory in _inner_directories(root.path, states):
            is_private = root.judged.is_private(directory)
            below = directory[len(root.path) + 1 :].split(b"/")
            if any(map(is_of_others, below)) or (root.place.area.is_cache and not is_private):
                continue
            word = secret_word(name_of(directory), is_private=is_private)
            if word is not None and _holder(directory, found) is None:
                figures: dict[str, Figure] = {"word": word, "path": directory}
                found[directory] = Reason(code=Code.SECRET_WORD, figures=figures)
    files = [state for state in states if state.is_file]
    secrets = [state for state in files if state.level is Level.SECRET]
    if not secrets:
        return found
    found |= _named_and_secret(root, secrets, found)
    counts = Counter(parent_of(state.path) for state in files)
    secret_counts = Counter(parent_of(state.path) for state in secrets)
    for state in secrets:
        directory = parent_of(state.path)
        if directory == root.path or _holder(directory, found) is not None:
            continue
        share = secret_counts[directory] * _SECRET_SHARE >= counts[directory]
        if share or state.method is Method.NONE:
            found[directory] = Reason(code=Code.HOLDS_SECRET, figures={"path": state.path})
    return found


def _named_and_secret(
    root: Root, secrets: Iterable[State], found: Mapping[bytes, Reason]
) -> dict[bytes, Reason]:
    """Directories whose name would tell of secrets if they were private, and that hold one.

    What is beside a key in `keys` tells of it, though a group may read it.
    """
    named: dict[bytes, Reason] = {}
    for directory in _inner_directories(root.path, secrets):
        word = secret_word(name_of(directory), is_private=True)
        if word is not None and _holder(directory, {**found, **named}) is None:
            named[directory] = Reason(
                code=Code.SECRET_WORD, figures={"word": word, "path": directory}
            )
    return named


def _valued_directories(
    root: Root, states: Sequence[State], fixed: Level | None
) -> dict[bytes, Reason]:
    """Directories named for what people make (`saves`), where there is less beside them.

    Too many of them, and they say no more than the whole, unless the catalogue knows that one.
    """
    if (
        fixed not in (None, Level.NORMAL)
        or (fixed is None and root.place.area.level >= Level.IMPORTANT)
        or root.place.area.is_cache
        or root.place.area is Area.ETC
    ):
        return {}
    found: dict[bytes, Reason] = {}
    paths = [state.path for state in states]
    for directory in _inner_directories(root.path, states):
        word = (
            user_data_word(name_of(directory), root.place.area)
            or _log_word(directory, states)
            or _word_of_bare(directory, paths)
        )
        if word is not None and _holder(directory, found) is None:
            figures: dict[str, Figure] = {"word": word, "path": directory}
            found[directory] = Reason(code=Code.USER_DATA_WORD, figures=figures)
    if fixed is not None:
        return found
    beside = [state for state in _outside(states, found) if state.is_file]
    if not beside:
        return {path: reason for path, reason in found.items() if reason.figures["word"] == _GIT}
    is_less = all(state.level is not Level.IMPORTANT for state in beside)
    return found if is_less and len(found) <= _MOST_VALUED else {}


def _word_of_bare(directory: bytes, paths: Sequence[bytes]) -> str | None:
    """The word of a repository without a work tree (`settings.git`): it is no copy of another."""
    is_bare = directory.endswith(b".git") and name_of(directory) != b".git"
    return _GIT if is_bare and _holds_versions(directory, paths) else None


def _log_word(directory: bytes, states: Iterable[State]) -> str | None:
    """The word of a directory of logs in which there are conversations."""
    word = min(words_of(name_of(directory)) & LOG, default=None)
    if word is None or not any(_is_valued_in(directory, state) for state in states):
        return None
    return word


def _is_valued_in(directory: bytes, state: State) -> bool:
    return state.level is Level.IMPORTANT and is_within(state.path, directory)


def _lone_files(states: Sequence[State], area: Area) -> list[State]:
    """Files of a higher level than the directory around them: secrets, and what people mark.

    Told apart also where they cannot be kept by themselves, as in a directory that the catalogue
    knows: what is around them needs no more care for it. A database raises what is around it, and
    so does what people write, which is what the program is for.
    """
    return _few_enough([state for state in states if _is_lone(state, area)], states)


def _is_lone(state: State, area: Area) -> bool:
    if not state.is_file or name_of(state.path).endswith(COMPANIONS):
        return False
    if state.level is Level.SECRET:
        return area is not Area.ETC or state.method is not Method.NONE
    if state.level <= area.level:
        return False
    if area is Area.CONFIG and state.method is not Method.NONE:
        return True
    return area.is_of_home and _is_on_the_way(state)


def _is_on_the_way(state: State) -> bool:
    is_important = state.level is Level.IMPORTANT
    return is_important and bool(words_of(name_of(state.path)) & ON_THE_WAY)


def _few_enough(lone: list[State], states: Sequence[State]) -> list[State]:
    """Of too many lone files the secrets, if they are the fewer; else none: they are the whole."""
    if len(lone) <= _MOST_PARTS:
        return lone
    secrets = [state for state in lone if state.level is Level.SECRET]
    files = sum(1 for state in states if state.is_file)
    return secrets if len(secrets) * _MOSTLY < files else []


def _dearer_files(states: Sequence[State], fixed: Level) -> list[State]:
    """Secrets, and what people make, in a directory that the catalogue gives a lower level.

    Told also where they cannot be kept by themselves: the level around them is no answer. Of
    databases the catalogue knows already; what it calls transient is nobody's work.
    """
    return _few_enough([state for state in states if _is_dearer(state, fixed)], states)


def _is_dearer(state: State, fixed: Level) -> bool:
    if not state.is_file or state.level <= fixed or name_of(state.path).endswith(COMPANIONS):
        return False
    return state.level is Level.SECRET or (fixed is Level.NORMAL and _is_by_people(state))


def _is_by_people(state: State) -> bool:
    return any(reason.code == Code.USER_DATA_WORD for reason in state.reasons)


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


def _level_reasons(states: Iterable[State], level: Level) -> tuple[Reason, ...]:
    """The reasons of the states that gave a directory its level, each kind of reason once."""
    by_code: dict[str, Reason] = {}
    for state in states:
        if state.level is level:
            for reason in state.reasons:
                by_code.setdefault(reason.code, reason)
    return tuple(by_code.values())[:_MOST_REASONS]


def _directory(
    path: bytes, root: Root, ownership: Ownership, level: Level, reasons: tuple[Reason, ...]
) -> Piece:
    is_all = path == root.path
    members = tuple(s for s in root.states if is_all or is_within(s.path, path))
    itself = next((state for state in members if state.path == path), None)
    own_hazards = itself.hazards if itself is not None else ()
    return Piece(
        path=path,
        kind=Kind.DIRECTORY,
        level=level,
        reasons=(*reasons, *own_hazards, *_file_hazard(members)),
        members=members,
        ownership=ownership,
        method=itself.method if itself is not None else Method.BIND,
    )


def _file_hazard(members: Iterable[State]) -> Iterator[Reason]:
    """Why the files of a directory could not be kept one by one: one of them as an example."""
    for state in members:
        if state.is_file and state.method is Method.NONE:
            yield state.hazards[0]
            return


def _file(state: State, ownership: Ownership, fixed: Level | None = None) -> Piece:
    return Piece(
        path=state.path,
        kind=Kind.FILE,
        level=fixed or state.level,
        reasons=(*(state.reasons if fixed is None else ()), *state.hazards),
        members=(state,),
        ownership=ownership,
        method=state.method,
    )


def _inner_directories(root: bytes, states: Iterable[State]) -> list[bytes]:
    """All directories between a root and its states, topmost first."""
    nearest = {parent_of(state.path) if state.is_file else state.path for state in states}
    found = {parent for each in nearest for parent in (each, *parents_of(each))}
    return sorted(each for each in found if each != root and is_within(each, root))


def _outside(states: Sequence[State], directories: Mapping[bytes, object]) -> Sequence[State]:
    """Leave out what is or lies in one of `directories`."""
    if not directories:
        return states
    return [state for state in states if _holder(state.path, directories) is None]


def _holder(path: bytes, directories: Mapping[bytes, object]) -> bytes | None:
    """The one of `directories` that `path` is or lies in."""
    if not directories:
        return None
    return next((each for each in (path, *parents_of(path)) if each in directories), None)
