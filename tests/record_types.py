"""Runs `imptrace` in this process, and prints every kind of record that passed by.

A record is a dataclass or a named tuple of ours. Told are the types of all that functions of ours
were given, kept in variables and returned, and of what stands in those.
"""

import dataclasses
import json
import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from imptrace.catalogue import shipped
from imptrace.cli import main as entry

_DEPTH = 3
_MANY = 20
"""Of a collection so many are looked at: they are alike."""
_seen: dict[type, str] = {}


def _look(found: Any, place: str, depth: int = 0) -> None:
    kind = type(found)
    if kind.__module__.startswith("imptrace.") and _is_record(kind):
        _seen.setdefault(kind, place)
    if depth < _DEPTH:
        for each in islice(_inside(found), _MANY):
            _look(each, place, depth + 1)


def _is_record(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or (issubclass(kind, tuple) and kind is not tuple)


def _inside(found: Any) -> Iterator[Any]:
    if isinstance(found, list | tuple | set | frozenset):
        yield from found
    elif isinstance(found, dict):
        yield from found.keys()
        yield from found.values()
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        yield from (getattr(found, each.name, None) for each in dataclasses.fields(found))


def _hook(frame: FrameType, event: str, argument: Any) -> None:
    name = frame.f_globals.get("__name__", "")
    if event == "return" and name.startswith("imptrace."):
        for each in (*frame.f_locals.values(), argument):
            _look(each, f"{name}:{frame.f_code.co_name}")


def _call(words: Iterable[str]) -> None:
    sys.argv = ["imptrace", *words]
    try:
        entry.main()
    except SystemExit as error:
        if error.code:
            raise


def main() -> None:
    """Take where the answer goes, then the words of each command, as JSON."""
    _, answer, *commands = sys.argv
    entry._leave = sys.exit  # it would end this process
    shipped()  # to read a thousand files under the hook takes long
    threading.setprofile(_hook)
    sys.setprofile(_hook)
    for words in commands:
        _call(json.loads(words))
    sys.setprofile(None)
    found = {f"{each.__module__}.{each.__qualname__}": place for each, place in _seen.items()}
    Path(answer).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
