"""One run for people: what was run, its processes, and what it left behind, changed paths first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imptrace.db.records import Effect, PathRecord, RunDetails, RunRecord, RunStatus
from imptrace.render.path_tree import path_tree
from imptrace.render.process_tree import process_tree
from imptrace.render.style import Style
from imptrace.render.text import printable
from imptrace.render.words import command_line, counted, local_time, result, size, tilde, took
from imptrace.tracer.events import AccessFlag, FileState, FileType, Op, Outcome

_EFFECTS = (Effect.CREATED, Effect.MODIFIED, Effect.DELETED)
_ORDINARY = (FileType.FILE, FileType.DIRECTORY, FileType.SYMLINK)
_UNREAD_OUTCOMES = {Outcome.MISSING: "was missing", Outcome.DENIED: "denied"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What of a run is shown, and how."""

    style: Style
    reads: bool = False
    """Also what was only read, or opened for a change and left as it was."""
    tree: bool = False
    """Paths as a tree of directories."""
    only_read: int | None = None
    """How many paths were only read, where they are not among those of the run."""
    most: int | None = None
    """Paths of one kind, or of one tree; what is beyond is counted only. None shows all."""
    width: int | None = None
    """Terminal cells for command lines; None does not cut them."""


def run_text(details: RunDetails, wanted: Wanted) -> str:
    """Show a run."""
    sections = [
        _heading(details.run, wanted.style, home_of(details)),
        _titled("Processes", process_tree(details.processes, wanted.style, wanted.width), wanted),
        *_path_sections(details, wanted),
        [_left_out(details.paths, wanted)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if any(section))


def home_of(details: RunDetails) -> bytes | None:
    """Return the home directory that the program was told of."""
    homes = (process.environ.get("HOME") for process in details.processes)
    return next((home for home in homes if home), None)


def _heading(run: RunRecord, style: Style, home: bytes | None) -> list[str]:
    title = f"Run {run.id}" + (f" “{printable(run.label)}”" if run.label else "")
    ended = result(run)
    if run.status is RunStatus.INTERRUPTED:
        ended = style.red("interrupted: imptrace was stopped before the program ended")
    elif run.exit_code or run.exit_signal:
        ended = style.yellow(ended)
    # An imported log tells neither, unless the user did.
    who = f"by {printable(run.user)}" + (f" on {printable(run.host)}" if run.host else "")
    who += f", in {tilde(run.cwd, home)}" if run.cwd else ""
    lines = [
        f"{style.bold(title)}  {command_line(run.argv)}",
        f"  {local_time(run.started_ns)}, {who}",
        f"  took {took(run)}, {ended}, recorder {run.recorder}"
        + (f", service {printable(run.service)}" if run.service else ""),
    ]
    if run.lost:
        lines.append(style.red(f"  {counted(run.lost, 'event')} lost: the record is incomplete"))
    if run.unseen:
        unseen = counted(run.unseen, "call")
        lines.append(style.yellow(f"  {unseen} seen without a path: a process cannot be read"))
    lines.extend(style.yellow(f"  {printable(text)}") for _, text in run.warnings)
    return lines


def _path_sections(details: RunDetails, wanted: Wanted) -> Iterator[list[str]]:
    home = home_of(details)
    described = _Lines(wanted.style)
    if wanted.tree:
        shown = [path for path in details.paths if wanted.reads or path.effect in _EFFECTS]
        lines = path_tree(shown[: wanted.most], described.in_tree, home, wanted.style)
        lines += _more(len(shown), wanted)
        yield _titled(f"Paths ({_counts(details.paths)})", lines, wanted)
        return
    groups: list[tuple[str, Effect | None]] = [(effect.value, effect) for effect in _EFFECTS]
    if wanted.reads:
        groups += [("opened for a change, and as before", Effect.UNCHANGED), ("only read", None)]
    for title, effect in groups:
        paths = [path for path in details.paths if path.effect is effect]
        lines = [described.in_list(path, tilde(path.path, home)) for path in paths[: wanted.most]]
        lines += _more(len(paths), wanted)
        yield _titled(f"{title.capitalize()} ({len(paths):,})", lines, wanted)


def _more(count: int, wanted: Wanted) -> list[str]:
    """Say how many of `count` paths are not shown."""
    if wanted.most is None or count <= wanted.most:
        return []
    return [wanted.style.dim(f"... {count - wanted.most:,} more (--all shows them)")]


def _titled(title: str, lines: Sequence[str], wanted: Wanted) -> list[str]:
    return [wanted.style.bold(title), *(f"  {line}" for line in lines)] if lines else []


def _counts(paths: Sequence[PathRecord]) -> str:
    effects = [path.effect for path in paths]
    return ", ".join(f"{effects.count(effect):,} {effect.value}" for effect in _EFFECTS)


def _left_out(paths: Sequence[PathRecord], wanted: Wanted) -> str:
    if wanted.reads:
        return ""
    effects = [path.effect for path in paths]
    changed = "" if any(effect in _EFFECTS for effect in effects) else "Nothing was changed. "
    others = [
        f"{count:,} {what}"
        for count, what in (
            (effects.count(None) if wanted.only_read is None else wanted.only_read, "only read"),
            (effects.count(Effect.UNCHANGED), "opened for a change, and as before"),
        )
        if count
    ]
    if not others:
        return wanted.style.dim(changed)
    return wanted.style.dim(f"{changed}Not shown: {', '.join(others)} (--reads shows them)")


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


def _effect_style(path: PathRecord, text: str, style: Style) -> str:
    match path.effect:
        case Effect.CREATED:
            return style.green(text)
        case Effect.MODIFIED:
            return style.yellow(text)
        case Effect.DELETED:
            return style.red(text)
        case _:
            return text


class _Lines:
    """Describes paths, each on a line."""

    def __init__(self, style: Style) -> None:
        self._style = style
        # Tens of thousands of paths may share what was done to them.
        self._done: dict[int, tuple[str, ...]] = {}

    def in_list(self, path: PathRecord, name: str) -> str:
        """Describe a path in columns."""
        state = _shown_state(path)
        if state is None:
            return f"{'':>6}  {'':4}  {self._line(path, state, name)}"
        held = size(state.size) if state.type is FileType.FILE else "-"
        return f"{held:>6}  {state.mode:04o}  {self._line(path, state, name)}"

    def in_tree(self, path: PathRecord, name: str) -> str:
        """Describe a path in a tree, where its directories are not repeated."""
        state = _shown_state(path)
        is_file = state is not None and state.type is FileType.FILE
        held = self._style.dim(f"  {size(state.size)}") if state and is_file else ""
        mark = _effect_style(path, _MARKS[path.effect], self._style)
        return f"{mark} {self._line(path, state, name, held)}"

    def _line(self, path: PathRecord, state: FileState | None, name: str, held: str = "") -> str:
        if state is not None and state.type is FileType.DIRECTORY and not name.endswith("/"):
            name += "/"
        if path.link is not None:
            name += f" → {printable(path.link)}"
        notes = ", ".join(self._notes(path, state))
        return name + held + (self._style.dim(f"  ({notes})") if notes else "")

    def _notes(self, path: PathRecord, state: FileState | None) -> Iterator[str]:
        if state is not None and state.type not in _ORDINARY:
            yield state.type.value
        if path.hint:
            yield printable(path.hint)
        if path.read_first:
            yield "read first"
        key = id(path.accesses)
        if key not in self._done:
            self._done[key] = tuple(_done(path))
        yield from self._done[key]


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
