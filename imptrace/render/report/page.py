"""A report as one page: Jinja2 escapes every text, and the tree is data that a script draws."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from imptrace.facts.levels import Level
from imptrace.render.report.model import DatedChange, Report
from imptrace.render.text import printable
from imptrace.render.words import counted, local_time

_LEVELS = [level.value for level in sorted(Level, reverse=True)]
_MOST_BYTES = 1_300_000
"""Of the tree: the page stays below 2 MB."""
_MOST_PROGRAMS = 12
_MOST_PLACES = 60
_BINS = 60
_WIDTH, _HEIGHT = 900, 90


class Bar(NamedTuple):
    """A rectangle of the timeline."""

    x: float
    y: float
    height: float
    level: str
    title: str


def page(report: Report) -> str:
    """Draw a report."""
    encoded, left_out = _encoded(report.tree)
    notes = list(report.notes)
    if left_out:
        notes.append(
            f"The tree leaves out {counted(left_out, 'path')} that nobody changed or keeps."
        )
    return _template().render(
        report=report,
        levels=_LEVELS,
        notes=notes,
        programs=_matrix(report.programs),
        bars=_bars(report.changes),
        span=_span(report.changes),
        width=_WIDTH,
        height=_HEIGHT,
        bar_width=_WIDTH / _BINS - 1,
        tree=encoded,
        printable=printable,
    )


@cache
def _template() -> Template:
    text = files("imptrace.render.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def _encoded(tree: Mapping[bytes, str]) -> tuple[Markup, int]:
    """Write paths by what each has not in common with the one before it, as JSON for a script.

    What matters most comes first where not all has room.
    """
    words = sorted(set(tree.values()))
    ranked = sorted(tree, key=lambda path: (_rank(tree[path]), path))
    room, chosen = _MOST_BYTES, []
    for path in ranked:
        room -= len(path) // 2 + 12
        if room < 0:
            break
        chosen.append(path)
    while True:
        text = _json({"words": words, "paths": _front_coded(sorted(chosen), tree, words)})
        if len(text) <= _MOST_BYTES or not chosen:
            return Markup(text), len(tree) - len(chosen)  # noqa: S704 (escaped by _json)
        del chosen[len(chosen) * _MOST_BYTES // len(text) - 1 :]


def _front_coded(
    paths: Iterable[bytes], tree: Mapping[bytes, str], words: Sequence[str]
) -> list[int | str]:
    number = {word: index for index, word in enumerate(words)}
    before, coded = "", list[int | str]()
    for path in paths:
        shown = printable(path)
        common = 0
        for one, two in zip(before, shown, strict=False):
            if one != two:
                break
            common += 1
        coded += [common, shown[common:], number[tree[path]]]
        before = shown
    return coded


def _json(value: object) -> str:
    """Write JSON that no parser of HTML takes for anything else."""
    text = json.dumps(value, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _rank(word: str) -> int:
    return _LEVELS.index(word) if word in _LEVELS else len(_LEVELS)


def _matrix(
    programs: Mapping[bytes, Mapping[bytes, int]],
) -> tuple[list[bytes], list[tuple[bytes, list[int]]]]:
    """Choose the programs that changed most, and the places that were changed most."""
    totals = Counter({program: sum(found.values()) for program, found in programs.items()})
    columns = [program for program, count in totals.most_common(_MOST_PROGRAMS) if count]
    places: Counter[bytes] = Counter()
    for program in columns:
        places.update(programs[program])
    rows = [path for path, _ in places.most_common(_MOST_PLACES)]
    return columns, [
        (path, [programs[program].get(path, 0) for program in columns]) for path in sorted(rows)
    ]


def _bars(changes: Sequence[DatedChange]) -> list[Bar]:
    """Stack the changes of each part of the time, by level."""
    if not changes:
        return []
    first = min(change.at_ns for change in changes)
    length = max(1, max(change.at_ns for change in changes) - first + 1)
    bins: list[Counter[str]] = [Counter() for _ in range(_BINS)]
    for change in changes:
        bins[(change.at_ns - first) * _BINS // length][change.level] += 1
    highest = max(found.total() for found in bins)
    bars = []
    for number, found in enumerate(bins):
        top = float(_HEIGHT)
        when = local_time(first + number * length // _BINS)
        for level in sorted(found, key=_rank):
            height = found[level] * _HEIGHT / highest
            top -= height
            title = f"{when}: {counted(found[level], 'change')}, {level}"
            bars.append(Bar(number * _WIDTH / _BINS, top, height, level, title))
    return bars


def _span(changes: Sequence[DatedChange]) -> tuple[str, str] | None:
    if not changes:
        return None
    times = [change.at_ns for change in changes]
    return local_time(min(times)), local_time(max(times))
