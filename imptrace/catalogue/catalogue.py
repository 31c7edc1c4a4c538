"""All entries together: loading them, and finding one by any of its names."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from imptrace.catalogue.model import FOLDERS, CatalogueError, Entry, EntryPlace
from imptrace.catalogue.reader import read_entry
from imptrace.catalogue.source import Spot, line_of
from imptrace.errors import UsageError
from imptrace.facts.patterns import is_called
from imptrace.facts.programs import program_name

_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every entry, services before homes, each sorted by id."""

    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def of(self, place: EntryPlace) -> tuple[Entry, ...]:
        """Answer with the entries of one place."""
        return tuple(entry for entry in self.entries if entry.place is place)

    def get(self, entry_id: str, place: EntryPlace) -> Entry | None:
        """Answer with the entry of exactly this id."""
        return next((entry for entry in self.of(place) if entry.id == entry_id), None)

    def with_included(self, entry: Entry) -> tuple[Entry, ...]:
        """Answer with an entry and, after it, all that belong to it, each once."""
        found = {entry.id: entry}
        waiting = list(entry.includes)
        while waiting:
            included = self.get(waiting.pop(0), entry.place)
            if included is not None and included.id not in found:
                found[included.id] = included
                waiting.extend(included.includes)
        return tuple(found.values())

    def find(self, name: str, place: EntryPlace | None = None) -> Entry:
        """Find the one entry that `name` means: by id, else alias, option, unit or program.

        Unit names may leave out `.service`. Where a service and a program of a home directory
        fit equally well, the service is meant.
        Raises `UsageError`, with the nearest names, where there is none or where several fit.
        """
        found = self.all_meant(name, place)
        of_first_place = [entry for entry in found if entry.place is found[0].place]
        if len(of_first_place) > 1:
            names = ", ".join(entry.id for entry in of_first_place)
            raise UsageError(f"{name!r} may mean {names}: name one of these")
        return found[0]

    def all_meant(self, name: str, place: EntryPlace | None = None) -> tuple[Entry, ...]:
        """Find every entry that `name` fits best, at least one. Raises `UsageError`."""
        found = self.matching(name, place)
        if not found:
            raise UsageError(self._not_found(name, place))
        return found

    def matching(self, name: str, place: EntryPlace | None = None) -> tuple[Entry, ...]:
        """Find the entries that `name` fits best: by id, else alias, option, unit or program.

        The name that Nix gives a wrapped program (`.firefox-wrapped`) is that of the program.
        """
        name = os.fsdecode(program_name(os.fsencode(name)))
        entries = self.entries if place is None else self.of(place)
        for names_of in (_ids, _aliases, _options, _units, _programs):
            found = tuple(entry for entry in entries if is_called(name, names_of(entry)))
            if found:
                return found
        return ()

    def nearest(self, name: str, place: EntryPlace | None = None) -> list[str]:
        """Up to three names of entries that are spelled much like `name`, as they are written."""
        entries = self.entries if place is None else self.of(place)
        names = {
            known.lower(): known
            for entry in entries
            for known in (*entry.programs, *entry.units, *entry.aliases, entry.id)
        }
        near = difflib.get_close_matches(name.lower(), names, n=_SUGGESTIONS, cutoff=0.8)
        return [names[each] for each in near]

    def _not_found(self, name: str, place: EntryPlace | None) -> str:
        near = self.nearest(name, place)
        hint = f"did you mean {' or '.join(near)}?" if near else "`imptrace services` lists all"
        what = {None: "service or program", EntryPlace.HOME: "program"}.get(place, "service")
        return f"no {what} {name!r} in the catalogue; {hint}"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that holds an entry."""

    path: Traversable
    place: EntryPlace

    @property
    def id(self) -> str:
        """The entry's id: the file's name."""
        return self.path.name.removesuffix(".toml")

    @property
    def file(self) -> str:
        """Where the file is, relative to the repository."""
        return f"nix/{FOLDERS[self.place]}/{self.path.name}"

    def text(self) -> str:
        """Read it. Raises `CatalogueError`."""
        try:
            # Not read_text, which takes half as long again, for 1,600 files.
            return self.path.read_bytes().decode()
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise CatalogueError(self.file, line, "not UTF-8") from error
        except OSError as error:
            raise CatalogueError(self.file, 1, f"cannot be read: {error.strerror}") from error


def load(root: Traversable) -> Catalogue:
    """Read `root`/services and `root`/home. Raises `CatalogueError` at the first mistake."""
    texts: dict[tuple[EntryPlace, str], str] = {}
    entries: list[Entry] = []
    for source in sources(root):
        text = texts[source.place, source.id] = source.text()
        entries.append(read_entry(source.file, text, source.id, source.place))
    check_names(entries, texts)
    return Catalogue(tuple(entries))


@cache
def shipped() -> Catalogue:
    """Load, once, the catalogue that is installed with imptrace."""
    return load(files("imptrace.nix"))


def sources(root: Traversable) -> Iterator[Source]:
    """Every file that holds an entry: services before homes, each sorted by name."""
    for place in EntryPlace:
        folder = root / FOLDERS[place]
        if folder.is_dir():
            for path in sorted(folder.iterdir(), key=lambda path: path.name):
                if path.name.endswith(".toml"):
                    yield Source(path, place)


def check_names(entries: Iterable[Entry], texts: Mapping[tuple[EntryPlace, str], str]) -> None:
    """Raise where two entries of a place share a name or an option, or one includes nothing.

    `texts` are the files' contents by place and id, for the line that is named.
    """
    seen: dict[tuple[EntryPlace, str], str] = {}
    ids = {(entry.place, entry.id) for entry in entries}
    for entry in entries:
        text = texts[entry.place, entry.id]
        for key, name in _unique_names(entry):
            owner = seen.setdefault((entry.place, name.lower()), entry.id)
            if owner != entry.id:
                line = line_of(text, Spot(key=key))
                raise CatalogueError(entry.file, line, f"{name!r} is a name of {owner} already")
        for name in entry.includes:
            if (entry.place, name) not in ids:
                line = line_of(text, Spot(key="includes"))
                raise CatalogueError(entry.file, line, f"there is no entry {name!r} to include")


def _unique_names(entry: Entry) -> Iterator[tuple[str | None, str]]:
    """Key and name of everything that may belong to one entry only."""
    yield None, entry.id
    for alias in entry.aliases:
        yield "aliases", alias
    if entry.option:
        yield "option", entry.option


def _ids(entry: Entry) -> tuple[str, ...]:
    return (entry.id,)


def _aliases(entry: Entry) -> tuple[str, ...]:
    return entry.aliases


def _options(entry: Entry) -> tuple[str, ...]:
    return (entry.option, *entry.enable) if entry.option else entry.enable


def _units(entry: Entry) -> tuple[str, ...]:
    return (*entry.units, *(unit.removesuffix(".service") for unit in entry.units))


def _programs(entry: Entry) -> tuple[str, ...]:
    return entry.programs
