"""What a configuration keeps as Nix evaluates it, before and after a change.

Tried in this order: the flake as a whole, the NixOS configuration as a whole, each changed file
alone. What none of them evaluates is said, and checked by its syntax only.
"""

import json
import os
import platform
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.resources import files as package_files
from pathlib import Path

from imptrace.contribute.keeping.places import LIST_OF, ListPlace, OwnOption, places
from imptrace.contribute.keeping.stand_ins import stand_ins
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.errors import ImptraceError
from imptrace.facts.commands import CommandError
from imptrace.facts.given import read_regular
from imptrace.facts.levels import Kind
from imptrace.facts.nix_command import EVAL, ask_nix
from imptrace.render.nix_text import string

_EXPRESSION = "persistence.nix"
_SECONDS = 300
_COPIED = (".nix", ".json", ".toml", ".yaml", ".yml", ".lock")
_LARGEST, _MOST = 1 << 20, 20_000
_Sources = Mapping[Path, tuple[bytes, bytes]]


class NotEvaluatedError(Exception):
    """Nix does not evaluate it, for a reason that is none of ours."""


def evaluation(sources: _Sources, top: Path, own: Sequence[OwnOption] = ()) -> str:
    """Evaluate what is kept before and after; answer with how.

    Raises NotEvaluatedError where nothing evaluates as it is, ImptraceError where it does and
    would not afterwards, or would keep something else than the lines say.
    """
    if shutil.which("nix-instantiate") is None:
        raise NotEvaluatedError("Nix is not installed")
    with _trees(sources, top) as (before, after):
        why = "no flake and no configuration.nix"
        for how, ask in _wholes(top):
            try:
                old = ask(before)
            except NotEvaluatedError as error:
                why = str(error)
                continue
            new = _must(ask, after)
            if new != old:
                _compare(old, new, sources, own)
                return how
            why = "the configuration as a whole does not use the changed file"
        try:
            _alone(sources, top, (before, after), own)
        except NotEvaluatedError as error:
            raise NotEvaluatedError(f"{error}; {why}") from error
    return "each changed file by itself"


def evaluation_alone(sources: _Sources, top: Path, own: Sequence[OwnOption] = ()) -> None:
    """Evaluate each changed file by itself, as `evaluation` does where nothing else is left."""
    with _trees(sources, top) as trees:
        _alone(sources, top, trees, own)


@contextmanager
def _trees(sources: _Sources, top: Path) -> Iterator[tuple[Path, Path]]:
    """Copy the configuration as it was, and as it will be."""
    with tempfile.TemporaryDirectory(prefix="imptrace-keep-") as scratch:
        before, after = Path(scratch, "before"), Path(scratch, "after")
        for tree, index in ((before, 0), (after, 1)):
            _copy(top, tree, {file: both[index] for file, both in sources.items()})
        yield before, after


def _wholes(top: Path) -> list[tuple[str, Callable[[Path], Counter[str]]]]:
    found: list[tuple[str, Callable[[Path], Counter[str]]]] = []
    if (top / "flake.nix").is_file() and shutil.which("nix"):
        found.append(("the flake", _flake))
    if (top / "configuration.nix").is_file():
        found.append(("configuration.nix", _nixos))
    return found


def _flake(tree: Path) -> Counter[str]:
    host = string(platform.node())
    expression = f"{_library()}.flake {string(f'path:{tree}')} {host}"
    # What a build of it has fetched is there; nothing is fetched for a check.
    return _ask(*EVAL, "--impure", "--offline", "--expr", expression)


def _nixos(tree: Path) -> Counter[str]:
    file = string(f"{tree}/configuration.nix")
    return _instantiate(f"{_library()}.nixos (/. + {file})", "--readonly-mode")


def _alone(
    sources: _Sources, top: Path, trees: tuple[Path, Path], own: Sequence[OwnOption]
) -> None:
    """Evaluate each changed file by itself. Raises NotEvaluatedError."""
    before, after = trees
    for file, (old, new) in sources.items():
        place = file.relative_to(top)
        # A list may come with the change, or go with it.
        found = [place for text in (old, new) if text for place in places(text, file, own)]
        try:
            was = _file(before / place, found) if old else Counter[str]()
        except NotEvaluatedError as error:
            raise NotEvaluatedError(f"{file.name} alone: {error}") from error
        lines = _lines(old, file, own)
        if old and not was and lines:
            raise NotEvaluatedError(
                f"{file.name} alone: its lists cannot be found without the rest"
            )
        now = _must(partial(_file, found=found), after / place)
        if now == was:
            raise NotEvaluatedError(f"{file.name} alone: the change is not seen without the rest")
        _compare(was, now, {file: (old, new)}, own)


def _file(file: Path, found: Sequence[ListPlace]) -> Counter[str]:
    lists = {(*each.names, name): kind for each in found for kind, name in _kinds(each)}
    paths = " ".join(
        f"{{ kind = {string(LIST_OF[kind])}; path = [ {' '.join(map(_name, names))} ]; }}"
        for names, kind in sorted(lists.items())
    )
    given = stand_ins(nix_tree.parse(read_regular(file), str(file)))
    expression = f"{_library()}.alone (/. + {string(str(file))}) ({given}) [ {paths} ]"
    return _instantiate(expression, "--store", "dummy://")


def _kinds(place: ListPlace) -> list[tuple[Kind, str]]:
    if place.kind is not None:
        return [(place.kind, place.name or LIST_OF[place.kind])]
    return list(LIST_OF.items())


def _name(name: str) -> str:
    """Write a name of an attribute as a string; one that is computed stands for any."""
    return "null" if "${" in name else string(name)


def _library() -> str:
    place = package_files("imptrace.contribute.keeping") / _EXPRESSION
    return f"(import (/. + {string(str(place))}))"


def _instantiate(expression: str, *options: str) -> Counter[str]:
    command = ["nix-instantiate", "--eval", "--strict", "--json", *options]
    return _ask(*command, "--option", "allow-import-from-derivation", "false", "-E", expression)


def _ask(*command: str) -> Counter[str]:
    no_builders = {"NIX_CONFIG": "build-users-group ="}
    try:
        answer = ask_nix(*command, seconds=_SECONDS, defaults=no_builders)
    except CommandError as error:
        raise NotEvaluatedError(str(error)) from error
    return Counter(json.loads(answer))


def _must(ask: Callable[[Path], Counter[str]], tree: Path) -> Counter[str]:
    try:
        return ask(tree)
    except NotEvaluatedError as error:
        raise ImptraceError(
            f"with the change the configuration evaluates no longer: {error}; left as it is"
        ) from error


def _compare(
    old: Counter[str], new: Counter[str], sources: _Sources, own: Sequence[OwnOption]
) -> None:
    """Hold what Nix makes of the change against its lines: nothing else may come or go."""
    lines_old, lines_new = Counter[str](), Counter[str]()
    for file, both in sources.items():
        for lines, text in zip((lines_old, lines_new), both, strict=True):
            lines.update(_lines(text, file, own))
    for was, now, expected in (
        (old, new, lines_new - lines_old),
        (new, old, lines_old - lines_new),
    ):
        # Several hosts may use one list; more or fewer paths than asked for there may not be.
        if set(now - was) != set(expected):
            odd = ", ".join(sorted(set(now - was) ^ set(expected)))
            raise ImptraceError(f"Nix makes something else of the change ({odd}): left as it is")


def _lines(source: bytes, file: Path, own: Sequence[OwnOption]) -> list[str]:
    return [
        f"{LIST_OF[place.kind]} {entry.path}"
        for place in (places(source, file, own) if source else ())
        for entry in place.entries
        if entry.path is not None and place.kind is not None
    ]


def _copy(top: Path, tree: Path, changed: Mapping[Path, bytes]) -> None:
    """Copy what a configuration is evaluated from, with changed files in place."""
    count = 0
    for directory, names, files in os.walk(top):
        names[:] = [name for name in names if not name.startswith(".") and name != "result"]
        for name in files:
            source = Path(directory, name)
            target = tree / source.relative_to(top)
            if source in changed or not name.endswith(_COPIED) or not source.is_file():
                continue
            count += 1
            if count > _MOST:
                raise NotEvaluatedError(f"{top} holds more than {_MOST} files")
            if source.stat().st_size <= _LARGEST:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for file, text in changed.items():
        if text:
            target = tree / file.relative_to(top)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
