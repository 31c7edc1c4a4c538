"""The catalogue for people: a table of entries, one entry in full, what a check found."""

from collections.abc import Iterator, Sequence

from imptrace.catalogue import Entry, EntryPlace, KeptPath, NeverPath
from imptrace.catalogue.checking import Breach
from imptrace.catalogue.model import Written
from imptrace.facts.levels import Kind
from imptrace.render.screen import Screen, aligned
from imptrace.render.text import printable

_WRITTEN = {
    Written.RENAME: "replaced by rename",
    Written.LINK: "replaced through a symbolic link",
    Written.IF_ABSENT: "made only when it is absent",
}


def table(entries: Sequence[Entry], screen: Screen) -> str:
    """One line per entry: where its paths are, and how many of them at which level."""
    heading = ("NAME", "PLACE", "TITLE", "KEEPS", "OPTION")
    return "\n".join(screen.table(heading, [*map(_row, entries)]))


def _row(entry: Entry) -> tuple[str, ...]:
    kept = (*entry.persist, *entry.instances)
    levels = sorted({path.level for path in kept}, reverse=True)
    counts = (f"{sum(path.level is level for path in kept)} {level}" for level in levels)
    return (
        entry.id,
        entry.place.value,
        printable(entry.title),
        ", ".join(counts) or "-",
        entry.option or "-",
    )


def entry(entry: Entry, screen: Screen) -> str:
    """Everything that is known about one entry."""
    return "\n".join(
        (screen.bold(printable(entry.title)), *_facts(entry, screen), *_paths(entry, screen))
    )


def _facts(entry: Entry, screen: Screen) -> Iterator[str]:
    home = entry.place is EntryPlace.HOME
    facts = (
        ("id", entry.id),
        ("place", "home directory: paths are relative to it" if home else "system service"),
        ("option", entry.option),
        ("on with", " or ".join(entry.enable)),
        ("also called", ", ".join(entry.aliases)),
        ("units", ", ".join(entry.units)),
        ("programs", ", ".join(entry.programs)),
        ("runs as", _owner(entry.user, entry.group)),
        ("dynamic user", "yes" if entry.dynamic_user else None),
        ("includes", ", ".join(entry.includes)),
        ("note", entry.note),
        ("known", entry.known),
        ("file", entry.file),
    )
    rows = [(f"{name}:", printable(value)) for name, value in facts if value]
    yield from screen.table(("", ""), rows, indent=2)


def _paths(entry: Entry, screen: Screen) -> Iterator[str]:
    groups = (
        ("keeps", entry.persist),
        ("keeps for each instance", entry.instances),
        ("shares with others (only suggested)", entry.shared),
    )
    for heading, paths in groups:
        if paths:
            yield f"\n{heading}:"
            lines = aligned([_cells(path) for path in paths])
            for line, path in zip(lines, paths, strict=True):
                yield f"  {line}"
                if remarks := "; ".join(_remarks(path)):
                    yield from screen.wrapped(remarks, indent=6)
                if path.dump:  # never wrapped: it is there to be copied
                    of = " of the nameless one" if path.each else ""
                    yield f"      dump{of}: {printable(path.dump)}"
    if entry.never:
        yield "\nnever keep:"
        rows = [_never_cells(path) for path in entry.never]
        yield from screen.table(("", "", ""), rows, indent=2)


def _cells(path: KeptPath) -> tuple[str, ...]:
    mode = f"{path.mode:04o}" if path.mode is not None else ""
    owner = " ".join(filter(None, (_owner(path.user, path.group), mode)))
    name = printable(path.path) + ("" if path.kind is Kind.FILE else "/")
    return (name, path.level.value, owner or "-")


def _remarks(path: KeptPath) -> Iterator[str]:
    if path.note:
        yield printable(path.note)
    if path.each:
        yield f"for each of {path.each}"
    if path.follows:
        yield f"follows {path.follows.prefix}{path.follows.option}{path.follows.suffix}"
    if path.written in _WRITTEN:
        yield _WRITTEN[path.written]
    if path.early_boot:
        yield "needed in the initrd"
    if path.since_state_version:
        yield f"since stateVersion {path.since_state_version}"
    if path.before_state_version:
        yield f"before stateVersion {path.before_state_version}"
    if path.elsewhere:
        yield "elsewhere " + ", ".join(map(printable, path.elsewhere))
    if path.repos:
        yield f"kept by {path.repos} of 138 public configurations"


def _never_cells(path: NeverPath) -> tuple[str, ...]:
    return (printable(path.path), path.why.value, printable(path.note or ""))


def _owner(user: str | None, group: str | None) -> str | None:
    return f"{user or ''}:{group}" if group else user


def findings(found: Sequence[Breach]) -> str:
    """One line per breach of the guidelines, as compilers write them."""
    return "\n".join(
        f"{finding.file}:{finding.line}: {finding.rule}: {printable(finding.text)}"
        for finding in found
    )
