"""Which lines go into which file: a whole change, made up before anything is written."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from imptrace.contribute.keeping.entry import element
from imptrace.contribute.keeping.insert import (
    into_block,
    into_list,
    out_of_block,
    out_of_join,
    out_of_list,
)
from imptrace.contribute.keeping.new_file import NAME
from imptrace.contribute.keeping.own_options import marked, own_options
from imptrace.contribute.keeping.places import ListPlace, OwnOption, bare, places
from imptrace.contribute.nix_source import edit as nix_edit
from imptrace.contribute.nix_source.check import check_nix
from imptrace.contribute.nix_source.tree import NixSyntaxError
from imptrace.errors import UsageError
from imptrace.facts.given import read_regular
from imptrace.facts.levels import Kind
from imptrace.facts.paths import is_within
from imptrace.judge.model import Method, Recommendation
from imptrace.render.nix import Target

_MOST_FILES = 5000
_WORDS = (b"persistence", b"preserveAt")
_SKIPPED = {"result", "node_modules"}


@dataclass(slots=True)
class ConfigurationChange:
    """What becomes of the configuration."""

    sources: dict[Path, tuple[bytes, bytes]] = field(default_factory=dict)
    """Files before and after."""
    kept: list[tuple[bytes, str]] = field(default_factory=list)
    """Paths that are kept already, and by what."""
    placeless: list[Recommendation] = field(default_factory=list)
    """What the configuration has no place for."""
    refused: list[tuple[bytes, str]] = field(default_factory=list)
    """What can have no entry, and why."""
    unread: list[str] = field(default_factory=list)
    own_options: list[OwnOption] = field(default_factory=list)
    """Options of the configuration's own that end in what is kept."""


def configuration_files(given: Path | None) -> list[Path]:
    """Find the files of the configuration: given, of the flake around here, or of /etc/nixos."""
    top = given if given is not None else _default()
    if top.is_file():
        if not os.access(top, os.R_OK):
            raise UsageError(f"{top} cannot be read: look at its mode, or use sudo")
        return [top]
    if not top.is_dir():
        raise UsageError(f"{top} is no configuration: name a file or directory with --config")
    found = []
    for directory, names, files in os.walk(top):
        names[:] = sorted(
            each for each in names if not each.startswith(".") and each not in _SKIPPED
        )
        found += [Path(directory, name) for name in sorted(files) if name.endswith(".nix")]
        if len(found) > _MOST_FILES:
            raise UsageError(
                f"{top} holds more than {_MOST_FILES} Nix files: name one with --config"
            )
    return found


def top_of(given: Path | None) -> Path:
    """Tell the directory of the configuration: of a file, that of its flake or its own."""
    top = given if given is not None else _default()
    return (_around(top.absolute().parent) or top.parent) if top.is_file() else top


def _default() -> Path:
    return _around(Path.cwd()) or Path("/etc/nixos")


def read_places(files: Iterable[Path], change: ConfigurationChange) -> list[ListPlace]:
    """Read every file that may say what is kept."""
    sources = _sources(files, change)
    for file, source in sources.items():
        if any(word in source for word in _WORDS):
            with _telling(change):
                change.own_options += own_options(source, str(file))
    change.own_options = marked(change.own_options)
    names = [each.path for each in change.own_options]
    found: list[ListPlace] = []
    for file, source in sources.items():
        is_named = any(
            all(nix_edit.encoded(bare(name)) in source for name in path) for path in names
        )
        if is_named or any(word in source for word in _WORDS):
            with _telling(change):
                found += places(source, file, change.own_options)
    return found


@contextmanager
def _telling(change: ConfigurationChange) -> Iterator[None]:
    """Note what is no valid Nix, once."""
    try:
        yield
    except NixSyntaxError as error:
        if str(error) not in change.unread:
            change.unread.append(str(error))


def _sources(files: Iterable[Path], change: ConfigurationChange) -> dict[Path, bytes]:
    found = {}
    for file in files:
        try:
            found[file] = read_regular(file)
        except OSError as error:
            change.unread.append(f"{file}: {error.strerror}")
    return found


def add(
    wanted: Sequence[Recommendation],
    files: list[Path],
    store: str | None,
    options: Mapping[bytes, str] | None = None,
    own: Sequence[OwnOption] = (),
) -> ConfigurationChange:
    """Add what is not kept yet, path by path, each in the place that fits best.

    `options`: the option that a path belongs to, whose own lists come first. `own`: options of the
    configuration's own that are known from other files.
    """
    change = ConfigurationChange(own_options=list(own))
    before = read_places(files, change)
    for each in _outermost(wanted):
        if each.method is Method.NONE:
            change.refused.append((each.path, "its program replaces it, so that no entry holds"))
            continue
        known = _with_changes(before, change)
        keeper = _keeper(each, known)
        if keeper is not None:
            change.kept.append((each.path, keeper))
            continue
        of_option = [
            place for place in known if _is_own(each, place, (options or {}).get(each.path))
        ]
        fitting = [*of_option, *_ranked(each, known, store)]
        if not any(_insert(each, place, change) for place in fitting):
            change.placeless.append(each)
    _check(change)
    return change


def remove(
    paths: Iterable[bytes],
    files: list[Path],
    homes: dict[str, bytes],
    own: Sequence[OwnOption] = (),
) -> ConfigurationChange:
    """Take paths out again: exactly these, not what keeps them with others."""
    change = ConfigurationChange(own_options=list(own))
    before = read_places(files, change)
    for path in paths:
        known = _with_changes(before, change)
        found = [
            (place, entry)
            for place in known
            for entry in (place.entries if place.node.type == "list_expression" else ())
            if entry.path is not None and path in _absolute(place, entry.path, homes)
        ]
        if not found:
            change.refused.append((path, "no list of the configuration has it"))
        for place, entry in found[:1]:
            old = _current(place.file, change)
            is_ours = place.file.name == NAME
            new = nix_edit.apply(old, [out_of_list(old, entry, with_remarks=is_ours)])
            if len(place.entries) == 1:
                new = _without_empty(new, place, change.own_options)
            check_nix(str(place.file), new, old)
            _remember(place.file, new, change)
    _check(change)
    return change


def _without_empty(source: bytes, place: ListPlace, own: Sequence[OwnOption]) -> bytes:
    """Take the list out too that has nothing in it any longer, not even a remark."""
    # Which of two options of one name it is, is known by now.
    found = places(source, place.file, [replace(each, is_ambiguous=False) for each in own])
    for each in found:
        is_it = (each.names, each.kind) == (place.names, place.kind)
        if is_it and not each.entries and each.node.type == "list_expression":
            others = (other for other in found if other.kind is not None and other.entries)
            store = (each.target, each.store)
            is_doubled = any((other.target, other.store) == store for other in others)
            edit = out_of_join(source, each)
            if edit is None and each.has_block:
                edit = out_of_block(source, each, is_doubled=is_doubled or each.is_own)
            if edit is not None:
                return nix_edit.apply(source, [edit])
    return source


def _with_changes(known: list[ListPlace], change: ConfigurationChange) -> list[ListPlace]:
    """Read the files that were changed anew, as they will be."""
    same = [place for place in known if place.file not in change.sources]
    for file, (_, new) in change.sources.items():
        same += places(new, file, change.own_options)
    return same


def _outermost(wanted: Sequence[Recommendation]) -> list[Recommendation]:
    tops = [each.path for each in wanted if each.kind is Kind.DIRECTORY]
    return [
        each
        for each in wanted
        if not any(top != each.path and is_within(each.path, top) for top in tops)
    ]


def _keeper(each: Recommendation, known: Iterable[ListPlace]) -> str | None:
    homes = {each.home.user: each.home.path} if each.home is not None else {}
    for place in known:
        for entry in place.entries:
            if entry.path is None:
                continue
            for path in _absolute(place, entry.path, homes):
                whole = place.kind is Kind.DIRECTORY and is_within(each.path, path)
                if whole or path == each.path:
                    line = entry.node.start_point.row + 1
                    where = f"{entry.path} in {place.file}:{line}"
                    return f"{where}, where its condition holds" if place.is_conditional else where
    return None


def _absolute(place: ListPlace, path: str, homes: dict[str, bytes]) -> list[bytes]:
    """Tell which paths an entry may mean: one of a home with an unknown user, one of each."""
    raw = nix_edit.encoded(path).rstrip(b"/")
    if not place.of_home or raw.startswith(b"/"):
        return [raw]
    named = {user: home for user, home in homes.items() if place.user in (None, user)}
    if place.user is not None and not named and "${" in place.user:
        named = homes
    return [home.rstrip(b"/") + b"/" + raw for home in named.values()]


def _ranked(each: Recommendation, known: Sequence[ListPlace], store: str | None) -> list[ListPlace]:
    """Rank lists of the kind, then blocks to put one into: first where most of its like is kept."""
    fitting = [place for place in known if place.option is None and _fits(each, place)]
    if store is not None:
        fitting = [place for place in fitting if place.store == store or store in place.store]
    sizes: dict[tuple[str, str | None], int] = {}
    for place in fitting:
        key = (place.store, place.user)
        sizes[key] = sizes.get(key, 0) + len(place.entries)

    def rank(place: ListPlace) -> tuple[int, ...]:
        is_list = place.kind is each.kind
        own = place.user is not None or place.target is Target.HOME_MANAGER
        is_home = each.home is not None
        return (
            int(own == is_home),
            int(is_list),
            int(not place.is_computed),
            sizes[place.store, place.user],
            int(place.node.type != "binding"),
            len(place.entries),
        )

    usable = [
        place for place in fitting if place.kind in (None, each.kind) and not place.is_conditional
    ]
    return sorted(usable, key=rank, reverse=True)


def _is_own(each: Recommendation, place: ListPlace, option: str | None) -> bool:
    """Whether a list is the option's own, of the kind and level of a path."""
    is_of_option = place.option is not None and place.option == option
    return is_of_option and (place.kind, place.store) == (each.kind, each.level.value)


def _fits(each: Recommendation, place: ListPlace) -> bool:
    if each.home is None or each.home.user == "root":
        return not place.of_home
    if place.user is not None:
        return place.user == each.home.user or "${" in place.user
    # A system's own block can hold a user's.
    return place.target is Target.HOME_MANAGER or place.kind is None


def _insert(each: Recommendation, place: ListPlace, change: ConfigurationChange) -> bool:
    """Put an entry into a place; answer whether the file takes it (its list may be computed)."""
    in_home = each.home is not None and each.home.user != "root"
    path = each.path
    if in_home and each.home is not None:
        path = each.path[len(each.home.path.rstrip(b"/")) + 1 :]
    source = _current(place.file, change)
    prefix = nix_edit.encoded(place.prefix)
    if not path.startswith(prefix) or path == prefix:
        return False
    text = element(each, place, path[len(prefix) :])
    if place.prefix and not text.startswith('"'):
        return False  # it needs an owner or mode, which such an element has not
    if place.kind is not None:
        name = path.decode(errors="surrogateescape")
        edits = into_list(source, place, name, text)
    else:
        of_user = in_home and not place.of_home and each.home is not None
        user = each.home.user if of_user and each.home is not None else None
        edits = into_block(source, place, each.kind, user, text)
    new = nix_edit.apply(source, edits)
    try:
        check_nix(str(place.file), new, source)
    except NixSyntaxError as error:
        change.unread.append(str(error))
        return False
    _remember(place.file, new, change)
    return True


def _current(file: Path, change: ConfigurationChange) -> bytes:
    return change.sources[file][1] if file in change.sources else read_regular(file)


def _remember(file: Path, new: bytes, change: ConfigurationChange) -> None:
    old = change.sources[file][0] if file in change.sources else read_regular(file)
    change.sources[file] = (old, new)


def _check(change: ConfigurationChange) -> None:
    """Raise NixSyntaxError unless every changed file is valid, and only entries have changed."""
    for file, (old, new) in change.sources.items():
        before, after = (_written(each, file, change.own_options) for each in (old, new))
        if not (before <= after or after <= before):
            raise NixSyntaxError(f"{file} would keep something else than it should: left as it is")


def _written(
    source: bytes, file: Path, own: Sequence[OwnOption]
) -> set[tuple[str, str | None, Kind | None, str]]:
    return {
        (place.store, place.user, place.kind, entry.path)
        for place in places(source, file, own)
        for entry in place.entries
        if entry.path is not None
    }


def _around(directory: Path) -> Path | None:
    """Find the flake that a directory belongs to."""
    for each in (directory, *directory.parents):
        if (each / "flake.nix").is_file():
            return each
    return None
