"""The layout of imptrace's own catalogue: one TOML file per service, `nix/services/NAME.toml`."""

import tomlkit
from tomlkit.items import AoT, Comment, Table, Whitespace

from imptrace.catalogue.model import FOLDERS, CatalogueError, Entry, EntryPlace
from imptrace.catalogue.reader import read_entry
from imptrace.contribute.git import FileChange
from imptrace.contribute.proposal import Change, Proposal, ProposedPath, merge
from imptrace.contribute.repository import CommittedFiles
from imptrace.facts.levels import Kind
from imptrace.kept.compare import Declared


class CatalogueLayout:
    """Writes a catalogue file for each service, or program of a home directory."""

    name = "imptrace's catalogue"
    looked_for = f"nix/{FOLDERS[EntryPlace.SERVICE]}/NAME.toml"

    def __init__(self, snapshot: CommittedFiles) -> None:
        self._snapshot = snapshot

    @classmethod
    def fits(cls, snapshot: CommittedFiles) -> bool:
        """Whether a repository has this layout."""
        return bool(snapshot.paths(f"nix/{FOLDERS[EntryPlace.SERVICE]}/", ".toml"))

    def plan(self, proposal: Proposal) -> Change:
        """Write the service's file, or add tables to it."""
        path = f"nix/{FOLDERS[proposal.place]}/{proposal.service}.toml"
        old = self._snapshot.read(path)
        existing = None if old is None else _entry(path, old, proposal)
        merged = merge(_declared(existing), proposal.paths, nests=True)
        files: tuple[FileChange, ...] = ()
        if merged.added:
            document = _new_document(proposal) if old is None else tomlkit.parse(old)
            _add_tables(document, merged.added)
            new = tomlkit.dumps(document).encode()
            _entry(path, new, proposal)
            files = (FileChange(path, new),)
        return Change(
            files=files,
            is_new=old is None,
            added=merged.added,
            unobserved=merged.unobserved,
            other_levels=merged.other_levels,
            held_back=merged.held_back,
        )


def _entry(path: str, content: bytes, proposal: Proposal) -> Entry:
    """Read a catalogue file, so that nothing is built on, or becomes, a broken one."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CatalogueError(path, line, "not UTF-8") from error
    return read_entry(path, text, proposal.service, proposal.place)


def _declared(entry: Entry | None) -> list[Declared]:
    if entry is None:
        return []
    return [
        Declared(path=kept.path, kind=kept.kind, level=kept.level)
        for kept in entry.persist
        if not kept.is_pattern
    ]


def _new_document(proposal: Proposal) -> tomlkit.TOMLDocument:
    """Begin a file with what is known about the service itself."""
    document = tomlkit.document()
    facts: dict[str, object] = {"title": proposal.title, "option": proposal.option}
    if proposal.enable:
        facts["enable"] = proposal.enable[0] if len(proposal.enable) == 1 else proposal.enable
    facts |= {"units": list(proposal.units), "programs": list(proposal.programs)}
    facts["known"] = f"recorded: {', '.join(proposal.programs) or proposal.title}"
    for key, value in facts.items():
        if value:
            document.add(key, tomlkit.item(value))
    return document


def _add_tables(document: tomlkit.TOMLDocument, paths: tuple[ProposedPath, ...]) -> None:
    """Add `[[persist]]` tables behind those that are there, a blank line before each."""
    tables = document.get("persist")
    if not isinstance(tables, AoT):
        tables = tomlkit.aot()
        tables.extend(_table(path) for path in paths)
        document.append("persist", tables)
        return
    # tomlkit counts blank lines and comments to the table before them, but they belong to
    # what follows: they move behind the new tables.
    tail = _cut_tail(tables[-1])
    for path in paths:
        tables[-1].add(tomlkit.nl())
        tables.append(_table(path))
    for item in tail:
        tables[-1].add(item)


def _cut_tail(table: Table) -> list[Comment | Whitespace]:
    """Take the blank lines and comments off the end of a table."""
    body = table.value.body
    tail: list[Comment | Whitespace] = []
    while body and isinstance(last := body[-1][1], Comment | Whitespace):
        tail.insert(0, last)
        body.pop()
    return tail


def _table(path: ProposedPath) -> Table:
    table = tomlkit.table()
    table.add("path", path.path)
    if path.kind is not Kind.DIRECTORY:
        table.add("kind", path.kind.value)
    table.add("level", path.level.value)
    ownership = {
        "user": path.user,
        "group": path.group,
        "mode": None if path.mode is None else f"{path.mode:04o}",
        "note": path.comment,
    }
    for key, value in ownership.items():
        if value is not None:
            table.add(key, value)
    return table
