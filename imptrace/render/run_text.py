"""One run for people: what was run, its processes, and what it left behind, changed paths first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.tree import Tree

from imptrace.db.records import Effect, PathRecord, RunDetails, RunRecord, RunStatus
from imptrace.render.path_tree import PathNode, amount, is_one_thing, path_tree, tree_of
from imptrace.render.process_tree import process_tree
from imptrace.render.screen import Screen
from imptrace.render.text import printable
from imptrace.render.words import command_line, counted, local_time, result, size, tilde, took
from imptrace.tracer.events import AccessFlag, FileState, FileType, Op, Outcome

_EFFECTS = (Effect.CREATED, Effect.MODIFIED, Effect.DELETED)
_INDENT = 2
_NO_COLUMNS = " " * 16
_ORDINARY = (FileType.FILE, FileType.DIRECTORY, FileType.SYMLINK)
_UNREAD_OUTCOMES = {Outcome.MISSING: "was missing", Outcome.DENIED: "denied"}


@dataclass(frozen=True, kw_only=True)
class RunView:
    """What of a run is shown, and how."""

    screen: Screen
    reads: bool = False
    """Also what was only read, or opened for a change and left as it was."""
    tree: bool = False
    """Paths as a tree of directories."""
    only_read: int | None = None
    """How many paths were only read, where they are not among those of the run."""
    most: int | None = None
    """Paths of one kind, or of one tree; what is beyond is counted only. None shows all, and
    folds no directory."""


def run_text(details: RunDetails, wanted: RunView) -> str:
    """Show a run."""
    sections = [
        [*_heading(details.run, wanted.screen, home_of(details)), *_pauses(details, wanted)],
        _titled("Processes", _drawn(process_tree(details.processes), wanted.screen), wanted),
        *_path_sections(details, wanted),
        [_left_out(details, wanted)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if any(section))


def runs_table(records: Sequence[RunRecord], screen: Screen) -> str:
    """Show one line per run."""
    heading = ("ID", "LABEL", "STARTED", "TOOK", "RESULT", "COMMAND")
    rows = [_row(record) for record in records]
    columns = list(zip(heading, *rows, strict=True))
    used = sum(max(map(len, column)) + 2 for column in columns[:-1])
    rows = [(*row[:-1], screen.cut(row[-1], used)) for row in rows]
    return "\n".join(screen.table(heading, rows))


def _row(run: RunRecord) -> tuple[str, ...]:
    return (
        str(run.id),
        printable(run.label or run.service or "-"),
        local_time(run.started_ns),
        took(run),
        result(run),
        command_line(run.argv),
    )


def home_of(details: RunDetails) -> bytes | None:
    """Return the home directory that the program was told of."""
    homes = (process.environ.get("HOME") for process in details.processes)
    return next((home for home in homes if home), None)


def _heading(run: RunRecord, screen: Screen, home: bytes | None) -> list[str]:
    title = f"Run {run.id}" + (f" “{printable(run.label)}”" if run.label else "")
    ended = result(run)
    if run.status is RunStatus.INTERRUPTED:
        ended = screen.marked(
            "red", "interrupted: imptrace or its database went before the program"
        )
    elif run.exit_code or run.exit_signal:
        ended = screen.marked("yellow", ended)
    # An imported log tells neither, unless the user did.
    who = f"by {printable(run.user)}" + (f" on {printable(run.host)}" if run.host else "")
    who += f", in {tilde(run.cwd, home)}" if run.cwd else ""
    lines = [
        f"{screen.bold(title)}  {screen.cut(command_line(run.argv), len(title) + 2)}",
        f"  {local_time(run.started_ns)}, {who}",
        f"  took {took(run)}, {ended}, recorder {printable(run.recorder)}"
        + (f", service {printable(run.service)}" if run.service else ""),
    ]
    if run.lost:
        lines.append(
            screen.marked("red", f"  {counted(run.lost, 'event')} lost: the record is incomplete")
        )
    if run.unseen:
        unseen = counted(run.unseen, "call")
        lines.append(
            screen.marked("yellow", f"  {unseen} seen without a path: a process cannot be read")
        )
    lines.extend(screen.marked("yellow", f"  {printable(text)}") for _, text in run.warnings)
    return lines


def _pauses(details: RunDetails, wanted: RunView) -> Iterator[str]:
    """Say when nothing of the machine was recorded before."""
    began = details.run.started_ns
    for gap in details.gaps:
        if gap.count == 0 and gap.since is not None:
            since, until = local_time(began + gap.since), local_time(began + (gap.until or 0))
            yield wanted.screen.marked(
                "yellow", f"  nothing was recorded from {since} to {until}, before it"
            )


def _path_sections(details: RunDetails, wanted: RunView) -> Iterator[list[str]]:
    home = home_of(details)
    described = _PathLines(wanted.screen)
    if wanted.tree:
        shown = [path for path in details.paths if wanted.reads or path.effect in _EFFECTS]
        trees = path_tree(shown, described.in_tree, home, folded=wanted.most is not None)
        drawn = _drawn(trees, wanted.screen)
        lines = [*drawn[: wanted.most], *_more(len(drawn), wanted)]
        yield _titled(f"Paths ({_counts(details.paths)})", lines, wanted)
        return
    groups: list[tuple[str, Effect | None]] = [(effect.value, effect) for effect in _EFFECTS]
    if wanted.reads:
        groups += [("opened for a change, and as before", Effect.UNCHANGED), ("only read", None)]
    for title, effect in groups:
        paths = [path for path in details.paths if path.effect is effect]
        folded = list(_folded(paths, fold=wanted.most is not None))
        lines = [
            f"{_NO_COLUMNS}{tilde(path, home)}/{wanted.screen.dim(f'  {note}')}"
            if record is None
            else described.in_list(record, tilde(path, home), note)
            for path, record, note in folded[: wanted.most]
        ]
        lines += _more(len(folded), wanted)
        yield _titled(f"{title.capitalize()} ({len(paths):,})", lines, wanted)


def _folded(
    paths: Sequence[PathRecord], *, fold: bool
) -> Iterator[tuple[bytes, PathRecord | None, str]]:
    """Yield each path; a directory with much in it stands for that, and says how much it is."""
    if not fold:
        yield from ((path.path, path, "") for path in paths)
        return
    waiting: list[PathNode] = [tree_of(paths)]
    while waiting:
        node = waiting.pop()
        one_thing = is_one_thing(node)
        if node.record is not None or one_thing:
            yield node.path, node.record, amount(node) if one_thing else ""
        if not one_thing:
            waiting += sorted(node.children.values(), key=lambda each: each.path, reverse=True)


def _drawn(trees: Sequence[Tree], screen: Screen) -> list[str]:
    return screen.lines(Group(*trees), indent=_INDENT)


def _more(count: int, wanted: RunView) -> list[str]:
    """Say how many of `count` paths are not shown."""
    if wanted.most is None or count <= wanted.most:
        return []
    return [wanted.screen.dim(f"  ... {count - wanted.most:,} more (--all shows them)")]


def _titled(title: str, lines: Sequence[str], wanted: RunView) -> list[str]:
    return [wanted.screen.bold(title), *lines] if lines else []


def _counts(paths: Sequence[PathRecord]) -> str:
    effects = [path.effect for path in paths]
    return ", ".join(f"{effects.count(effect):,} {effect.value}" for effect in _EFFECTS)


def _no_change(run: RunRecord) -> str:
    """Claim that nothing was changed only where all is known."""
    if run.lost or run.status is not RunStatus.COMPLETE:
        return "No change is known: not all was recorded. "
    return "Nothing was changed. "


def _left_out(details: RunDetails, wanted: RunView) -> str:
    if wanted.reads:
        return ""
    effects = [path.effect for path in details.paths]
    changed = "" if any(effect in _EFFECTS for effect in effects) else _no_change(details.run)
    others = [
        f"{count:,} {what}"
        for count, what in (
            (effects.count(None) if wanted.only_read is None else wanted.only_read, "only read"),
            (effects.count(Effect.UNCHANGED), "opened for a change, and as before"),
        )
        if count
    ]
    if not others:
        return wanted.screen.dim(changed)
    return wanted.screen.dim(f"{changed}Not shown: {', '.join(others)} (--reads shows them)")


def _shown_state(path: PathRecord) -> FileState | None:
    """Return what is there now, or else what was."""
    for state in (path.after, path.before):
        if state is not None and state.type is not FileType.ABSENT:
            return state
    return None


_MARKS = {
    Effect.CREATED: "+",
    Effect.MODIFIED: "~",
    Effect.DELETED: "-",
    Effect.UNCHANGED: "=",
    None: " ",
}


_STYLES = {Effect.CREATED: "green", Effect.MODIFIED: "yellow", Effect.DELETED: "red"}


class _PathLines:
    """Describes paths, each on a line."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def in_list(self, path: PathRecord, name: str, note: str) -> str:
        """Describe a path in columns; `note` stands behind its name."""
        note = self._screen.dim(f"  {note}") if note else ""
        state = _shown_state(path)
        if state is None:
            return f"{_NO_COLUMNS}{self._line(path, state, name)}"
        held = size(state.size) if state.type is FileType.FILE else "-"
        return f"  {held:>6}  {state.mode:04o}  {self._line(path, state, name)}{note}"

    def in_tree(self, path: PathRecord, name: str) -> str:
        """Describe a path in a tree, where its directories are not repeated."""
        state = _shown_state(path)
        is_file = state is not None and state.type is FileType.FILE
        held = self._screen.dim(f"  {size(state.size)}") if state and is_file else ""
        mark = self._screen.marked(
            (_STYLES.get(path.effect, "") if path.effect else ""), _MARKS[path.effect]
        )
        return f"{mark} {self._line(path, state, name, held)}"

    def _line(self, path: PathRecord, state: FileState | None, name: str, held: str = "") -> str:
        if state is not None and state.type is FileType.DIRECTORY and not name.endswith("/"):
            name += "/"
        if path.link is not None:
            name += f" → {printable(path.link)}"
        notes = ", ".join(self._notes(path, state))
        return name + held + (self._screen.dim(f"  ({notes})") if notes else "")

    def _notes(self, path: PathRecord, state: FileState | None) -> Iterator[str]:
        if state is not None and state.type not in _ORDINARY:
            yield state.type.value
        if path.hint:
            yield printable(path.hint)
        if path.read_first:
            yield "read first"
        yield from _done(path)


def _done(path: PathRecord) -> Iterator[str]:
    """Tell what is worth a note of what was done to a path."""
    if any(access.op is Op.RENAME and access.origin is not None for access in path.accesses):
        yield "moved along" if AccessFlag.CARRIED in path.flags else "by rename"
    if AccessFlag.ALREADY_OPEN in path.flags:
        yield "was open"
    if AccessFlag.MAPPED in path.flags:
        yield "was in memory"
    outcome = path.outcome
    if outcome in _UNREAD_OUTCOMES:
        yield _UNREAD_OUTCOMES[outcome]
