"""Which option of NixOS or home-manager would keep a path."""

from dataclasses import dataclass

from imptrace.catalogue import Entry, EntryPlace
from imptrace.facts.levels import Kind
from imptrace.facts.paths import is_within
from imptrace.facts.people import Home
from imptrace.judge.known import Known

_DEFAULT_STORE = "/persistent"
_ROOTS = {EntryPlace.SERVICE: "environment", EntryPlace.HOME: "home"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How this machine keeps things."""

    stores: tuple[bytes, ...] = ()
    backend: str | None = None

    def option(self, path: bytes, kind: Kind, known: Known | None, home: Home | None) -> str | None:
        """Name the option: the service's own where the catalogue has one, else the store's list."""
        if known is not None and known.kept is not None:
            return _of_entry(known.entry)
        store = self.stores[0].decode(errors="backslashreplace") if self.stores else _DEFAULT_STORE
        listed = "directories" if kind is Kind.DIRECTORY else "files"
        is_in_home = home is not None and is_within(path, home.path) and path != home.path
        if self.backend == "preservation":
            users = f".users.{home.user}" if is_in_home and home is not None else ""
            return f'preservation.preserveAt."{store}"{users}.{listed}'
        root = EntryPlace.HOME if is_in_home else EntryPlace.SERVICE
        return f'{_ROOTS[root]}.persistence."{store}".{listed}'


def _of_entry(entry: Entry) -> str:
    if entry.option is not None:
        return f"{entry.option}.persistence"
    return f"{_ROOTS[entry.place]}.automaticPersistence.entries.{entry.id}.persistence"
