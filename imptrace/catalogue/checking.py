"""Holds the files of a catalogue to the guidelines, and answers with all that it finds."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from imptrace.catalogue.catalogue import check_names, sources
from imptrace.catalogue.guidelines import across, problems
from imptrace.catalogue.model import CatalogueError, Entry, EntryPlace
from imptrace.catalogue.reader import read_entry
from imptrace.catalogue.source import line_of


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """One breach, and where it stands."""

    file: str
    """Relative to the repository."""
    line: int
    rule: str
    """A name from docs/guidelines.md; `form` where the file cannot be read as an entry."""
    text: str


def check(root: Traversable | None = None) -> tuple[Breach, ...]:
    """Check every file below `root`, by default the installed catalogue; sorted by file and line.

    Unlike loading, this goes on after a mistake: each file that is wrong is one finding.
    """
    findings: list[Breach] = []
    entries: list[Entry] = []
    texts: dict[tuple[EntryPlace, str], str] = {}
    for source in sources(root or files("imptrace.nix")):
        try:
            text = source.text()
            entries.append(read_entry(source.file, text, source.id, source.place))
        except CatalogueError as error:
            findings.append(_of_form(error))
        else:
            texts[source.place, source.id] = text
    try:
        check_names(entries, texts)
    except CatalogueError as error:
        findings.append(_of_form(error))
    found = [(entry, problem) for entry in entries for problem in problems(entry)]
    for entry, problem in (*found, *across(entries)):
        line = line_of(texts[entry.place, entry.id], problem.spot)
        findings.append(Breach(entry.file, line, problem.rule, problem.text))
    return tuple(sorted(findings))


def _of_form(error: CatalogueError) -> Breach:
    return Breach(error.file, error.line, "form", error.problem)
