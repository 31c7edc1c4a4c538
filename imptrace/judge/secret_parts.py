"""Directories of a root that are kept for the secrets in them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from imptrace.facts.content import Hint
from imptrace.facts.paths import name_of, parent_of
from imptrace.judge.codes import Code
from imptrace.judge.inner import holder, inner_directories
from imptrace.judge.judged import Root, State
from imptrace.judge.level import secret_word
from imptrace.judge.model import Figure, Level, Method, Reason
from imptrace.judge.places import Area
from imptrace.judge.words import is_of_others

FEW_FILES = 8
"""So few files in a closed directory of the system are there for the secret among them."""
_SECRET_SHARE = 4
"""A directory of whose files one in so many is a secret is secret as a whole."""
_MOSTLY = 2
"""Where one file in so many is a key, the others belong to it."""
_KEYS = (Hint.PRIVATE_KEY, Hint.KEYRING)
_KEY_AREAS = (Area.DATA, Area.STATE, Area.DOT, Area.SYSTEM_STATE)


def is_for_secrets(root: Root, states: Sequence[State]) -> bool:
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


def secret_directories(root: Root, states: Sequence[State]) -> dict[bytes, Reason]:
    """The topmost directories below a root that are named for secrets, or consist of them."""
    found: dict[bytes, Reason] = {}
    if root.place.area is not Area.DOCUMENT:
        for directory in inner_directories(root.path, states):
            is_private = root.judged.is_private(directory)
            below = directory[len(root.path) + 1 :].split(b"/")
            if any(map(is_of_others, below)) or (root.place.area.is_cache and not is_private):
                continue
            word = secret_word(name_of(directory), is_private=is_private)
            if word is not None and holder(directory, found) is None:
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
        if directory == root.path or holder(directory, found) is not None:
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
    for directory in inner_directories(root.path, secrets):
        word = secret_word(name_of(directory), is_private=True)
        if word is not None and holder(directory, {**found, **named}) is None:
            named[directory] = Reason(
                code=Code.SECRET_WORD, figures={"word": word, "path": directory}
            )
    return named
