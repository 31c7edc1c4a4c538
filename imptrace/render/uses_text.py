"""Uses of paths for people: what a program touches, and which programs touch a path."""

import os
from collections.abc import Iterable, Sequence
from itertools import groupby

from imptrace.db.records import Effect, PathUse
from imptrace.render.screen import Screen, aligned
from imptrace.render.text import printable
from imptrace.render.words import counted, tilde
from imptrace.tracer.events import Op

_FEW = 300
"""Lines that are broken to fit the screen; of more that would take long."""
_CHANGED = frozenset({Effect.CREATED, Effect.MODIFIED, Effect.DELETED})


def by_path(uses: Sequence[PathUse], screen: Screen, *, reads: bool) -> str:
    """Show one line per path, the changed ones first; those only read where `reads` asks."""
    home = os.environb.get(b"HOME")
    groups = _grouped(uses)
    changed = [group for group in groups if _is_changed(group)]
    others = [group for group in groups if not _is_changed(group)]
    sections = [_section("Changed", changed, home, screen)]
    if reads:
        sections.append(_section("Not changed", others, home, screen))
    elif others:
        left_out = counted(len(others), "path")
        sections.append([screen.dim(f"Not shown: {left_out} not changed (--reads shows them)")])
    return "\n\n".join("\n".join(section) for section in sections if section)


def by_program(uses: Sequence[PathUse], screen: Screen, *, reads: bool) -> str:
    """Show each program with what it did, most changes first."""
    home = os.environb.get(b"HOME")
    in_order = sorted(uses, key=lambda use: (use.program, use.path))
    programs = [list(group) for _, group in groupby(in_order, key=lambda use: use.program)]
    programs.sort(key=lambda group: -len(_paths(group, changed=True)))
    return "\n\n".join(_program(group, home, screen, reads=reads) for group in programs)


def _section(
    title: str, groups: Sequence[list[PathUse]], home: bytes | None, screen: Screen
) -> list[str]:
    if not groups:
        return []
    return [screen.bold(f"{title} ({len(groups):,})"), *_lines(groups, home, screen)]


def _program(uses: list[PathUse], home: bytes | None, screen: Screen, *, reads: bool) -> str:
    changed, others = _paths(uses, changed=True), _paths(uses, changed=False)
    title = screen.bold(printable(uses[0].program))
    summary = f"changed {counted(len(changed), 'path')}, touched {len(others):,} without changing"
    groups = _grouped(uses)
    # About a single path all is told; of a directory, what was changed below it.
    shown = [group for group in groups if reads or len(groups) == 1 or _is_changed(group)]
    return "\n".join([f"{title}  {summary}, in {_runs(uses)}", *_lines(shown, home, screen)])


def _lines(groups: Sequence[list[PathUse]], home: bytes | None, screen: Screen) -> list[str]:
    rows = [
        (_effects(group), _runs(group), _ops(group), tilde(group[0].path, home)) for group in groups
    ]
    if screen.width is not None and len(rows) <= _FEW:
        return screen.table(("",) * 4, rows, indent=2)
    return [f"  {line}" for line in aligned(rows)] if rows else []


def _grouped(uses: Sequence[PathUse]) -> list[list[PathUse]]:
    return [list(group) for _, group in groupby(uses, key=lambda use: use.path)]


def _paths(uses: Iterable[PathUse], *, changed: bool) -> set[bytes]:
    all_changed = {use.path for use in uses if use.effect in _CHANGED}
    return all_changed if changed else {use.path for use in uses} - all_changed


def _is_changed(uses: Iterable[PathUse]) -> bool:
    return any(use.effect in _CHANGED for use in uses)


def _effects(uses: Iterable[PathUse]) -> str:
    found = {use.effect for use in uses}
    return "/".join(effect.value for effect in Effect if effect in found) or "read"


def _runs(uses: Iterable[PathUse]) -> str:
    runs = sorted({use.run for use in uses})
    return f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"


def _ops(uses: Iterable[PathUse]) -> str:
    found = {op for use in uses for op in use.ops}
    return " ".join(op.value for op in Op if op in found)
