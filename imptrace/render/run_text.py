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
    style = wanted.style
    if wanted.tree:
        shown = [path for path in details.paths if wanted.reads or path.effect in _EFFECTS]
        lines = path_tree(shown, lambda path, name: _tree_line(path, name, style), home, style)
        yield _titled(f"Paths ({_counts(details.paths)})", lines, wanted)
        return
    groups: list[tuple[str, Effect | None]] = [(effect.value, effect) for effect in _EFFECTS]
    if wanted.reads:
        groups += [("opened for a change, and as before", Effect.UNCHANGED), ("only read", None)]
    for title, effect in groups:
        paths = [path for path in details.paths if path.effect is effect]
        lines = [
            f"{_columns(path)}  {_line(path, tilde(path.path, home), style)}" for path in paths
        ]
        yield _titled(f"{title.capitalize()} ({len(paths):,})", lines, wanted)


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
            (effects.count(None), "only read"),
            (effects.count(Effect.UNCHANGED), "opened for a change, and as before"),
        )
        if count
    ]
    if not others:
        return wanted.style.dim(changed)
    return wanted.style.dim(f"{changed}Not shown: {', '.join(others)} (--reads shows them)")


def _columns(path: PathRecord) -> str:
    state = _shown_state(path)
    if state is None:
        return f"{'':>6}  {'':4}"
    bytes_held = size(state.size) if state.type is FileType.FILE else "-"
    return f"{bytes_held:>6}  {state.mode:04o}"


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


def _tree_line(path: PathRecord, name: str, style: Style) -> str:
    state = _shown_state(path)
    holds = style.dim(f"  {size(state.size)}") if state and state.type is FileType.FILE else ""
    return f"{_effect_style(path, _MARKS[path.effect], style)} {_line(path, name, style, holds)}"


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


def _line(path: PathRecord, name: str, style: Style, holds: str = "") -> str:
    state = _shown_state(path)
    if state is not None and state.type is FileType.DIRECTORY and not name.endswith("/"):
        name += "/"
    if path.link is not None:
        name += f" → {printable(path.link)}"
    notes = ", ".join(_notes(path))
    return name + holds + (style.dim(f"  ({notes})") if notes else "")


def _notes(path: PathRecord) -> Iterator[str]:
    state = _shown_state(path)
    if state is not None and state.type not in _ORDINARY:
        yield state.type.value
    if path.hint:
        yield printable(path.hint)
    if path.read_first:
        yield "read first"
    if any(access.op is Op.RENAME and access.origin is not None for access in path.accesses):
        yield "moved along" if AccessFlag.CARRIED in path.flags else "by rename"
    if path.outcome in _UNREAD_OUTCOMES:
        yield _UNREAD_OUTCOMES[path.outcome]
