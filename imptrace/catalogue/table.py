"""One table of a catalogue file, read key by key with the checks that each kind of value needs."""

import difflib
import re
from collections.abc import Collection, Mapping
from enum import Enum
from typing import TypeVar

from imptrace.catalogue.model import CatalogueError
from imptrace.catalogue.source import Spot, line_of

_MODE = re.compile(r"[0-7]{4}")
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(<name>[A-Za-z0-9_.-]*)?")
_OPTION = re.compile(r'[A-Za-z_][\w-]*(\.([A-Za-z_][\w-]*|"[^"\x00-\x1f]+"|<name>))*')
_SOURCE = re.compile(r"(recorded|document): \S.*")
_VERSION = re.compile(r"\d\d\.\d\d")

Choice = TypeVar("Choice", bound=Enum)


class Table:
    """A table of a file: the top of it, or the `index`-th `[[name]]`."""

    def __init__(
        self,
        file: str,
        text: str,
        values: Mapping[str, object],
        name: str | None = None,
        index: int = 0,
    ) -> None:
        self.values = values
        self._file = file
        self._text = text
        self._name = name
        self._index = index

    def error(self, key: str | None, problem: str) -> CatalogueError:
        """Make the error that names the line of `key`, or of the table."""
        spot = Spot(self._name, self._index, key)
        return CatalogueError(self._file, line_of(self._text, spot), problem)

    def only(self, known: Collection[str]) -> None:
        """Raise for a key that is not `known`, with the nearest one that is."""
        for key in self.values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                where = f"[[{self._name}]]" if self._name else "the top of the file"
                raise self.error(key, f"unknown key {key!r} in {where}{hint}")

    def tables(self, name: str) -> list["Table"]:
        """Read the tables `[[name]]` of a file."""
        found = self.values.get(name, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.error(name, f"{name} must be written as tables [[{name}]]")
        return [
            Table(self._file, self._text, values, name, index) for index, values in enumerate(found)
        ]

    def text(self, key: str) -> str | None:
        """Read a string of one line, or None."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self.error(key, f"{key} must be a string of one line, not empty")
        return value

    def required(self, key: str) -> str:
        """Read a string that must be there."""
        value = self.text(key)
        if value is None:
            raise self.error(None, f"{key} is missing")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of different strings; empty where the key is left out."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(
            isinstance(value, str) and value and value.isprintable() for value in values
        ):
            raise self.error(key, f"{key} must be a list of strings of one line, not empty")
        for value in values:
            if values.count(value) > 1:
                raise self.error(key, f"{value!r} stands twice in {key}")
        return tuple(values)

    def flag(self, key: str) -> bool:
        """Read a boolean; False where the key is left out."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"{key} must be true or false")
        return value

    def count(self, key: str, most: int) -> int | None:
        """Read a whole number from 1 to `most`, or None."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.error(key, f"{key} must be a whole number from 1 to {most}")
        return value

    def choice(self, key: str, choices: type[Choice]) -> Choice | None:
        """Read one of an enumeration's words, or None."""
        value = self.text(key)
        if value is None:
            return None
        try:
            return choices(value)
        except ValueError:
            words = ", ".join(str(choice.value) for choice in choices)
            raise self.error(key, f"{key} {value!r} is none of {words}") from None

    def mode(self, key: str) -> int | None:
        """Read permission bits written as four octal digits, or None."""
        value = self._matching(key, _MODE, 'four octal digits in quotes, like "0700"')
        return None if value is None else int(value, 8)

    def account(self, key: str) -> str | None:
        """Read the name of a user or group, or None."""
        return self._matching(key, _ACCOUNT, "the name of a user or group")

    def option(self, key: str) -> str | None:
        """Read the path of an option, or None."""
        return self._matching(key, _OPTION, 'the path of an option, like "services.x.enable"')

    def options(self, key: str) -> tuple[str, ...]:
        """Read the path of an option, or a list of such; empty where the key is left out."""
        if not isinstance(self.values.get(key), list):
            option = self.option(key)
            return () if option is None else (option,)
        options = self.texts(key)
        if not all(_OPTION.fullmatch(option) for option in options):
            raise self.error(key, f"{key} must hold paths of options")
        return options

    def source(self, key: str) -> str | None:
        """Read how something is known, or None."""
        return self._matching(key, _SOURCE, '"recorded: PROGRAM VERSION" or "document: WHICH"')

    def version(self, key: str) -> str | None:
        """Read a NixOS release, or None."""
        return self._matching(key, _VERSION, 'a NixOS release, like "24.11"')

    def _matching(self, key: str, form: re.Pattern[str], words: str) -> str | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not form.fullmatch(value):
            raise self.error(key, f"{key} must be {words}")
        return value
