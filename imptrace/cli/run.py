"""`imptrace run`: record a program."""

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.cli.options import Database
from imptrace.db.location import shown
from imptrace.errors import ImptraceError
from imptrace.render.text import printable

if TYPE_CHECKING:
    from imptrace.session import Result, Session

KILLED = 128


class Wait(StrEnum):
    """What `run` waits for."""

    NONE = "none"
    CHILDREN = "children"


class Recorder(StrEnum):
    """How accesses are seen."""

    AUTO = "auto"
    NOTIFY = "notify"


def run(
    command: Annotated[
        list[str],
        typer.Argument(metavar="[--] PROGRAM [ARGS]...", help="The program and its arguments."),
    ],
    *,
    database: Database = None,
    label: Annotated[str | None, typer.Option(help="A name for the run, to ask for it by.")] = None,
    service: Annotated[
        str | None, typer.Option(help="The NixOS service that the program belongs to.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Run the program as this user (root only).")
    ] = None,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Record only what can change a file: faster.")
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Record also stat, access and readlink.")
    ] = False,
    io_uring: Annotated[
        bool,
        typer.Option(
            "--io-uring", help="Let the program use io_uring, whose operations are not seen."
        ),
    ] = False,
    wait: Annotated[
        Wait, typer.Option(help="What to wait for besides the program itself.")
    ] = Wait.NONE,
    recorder: Annotated[
        Recorder,
        typer.Option(
            help="How accesses are seen; auto: the cheapest that works (docs/recorders.md)."
        ),
    ] = Recorder.AUTO,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary; errors only.")] = False,
) -> int:
    """Run a program and record what it does to files. Exits as the program exits.

    Example: imptrace run --label first firefox --private-window
    """
    from imptrace import foreground
    from imptrace.session import Request, Session
    from imptrace.tracer.notify import NotifyOptions, NotifyRecording
    from imptrace.tracer.program import find_program, find_user

    program = find_program(
        [os.fsencode(word) for word in command], find_user(user) if user else None
    )
    options = NotifyOptions(stats=stats, writes_only=writes_only, io_uring=io_uring)
    wake = foreground.waker()
    blocked = foreground.hold_signals()
    recorders = {Recorder.AUTO: NotifyRecording, Recorder.NOTIFY: NotifyRecording}
    try:
        recording = recorders[recorder](program, options, blocked)
    except BaseException:
        foreground.release_signals(blocked)
        raise
    request = Request(
        program=program,
        label=label,
        service=service,
        database=database,
        wait_for_children=wait is Wait.CHILDREN,
        summary=not quiet,
    )
    session = Session(recording, request, wake)
    foreground.attend(session, program=recording.program, supervisor=recording.supervisor)
    result = session.result()
    code = _program_code(session)
    if result.summary is not None:
        _summarise(result, command[0], recording.name, database)
    if session.ended is None:
        _say("its supervisor was killed: how the program ended is not known")
    if result.failure is not None and code == 0:
        raise result.failure
    if result.failure is not None:
        _say(str(result.failure))
    if code < 0:
        foreground.die_by(-code)
        return KILLED - code
    return code


def _program_code(session: "Session") -> int:
    """How the program ended: its exit code, a negated signal, or 125 if that is not known."""
    if session.ended is None:
        return ImptraceError.exit_code
    return os.waitstatus_to_exitcode(session.ended.status)


def _summarise(result: "Result", command: str, recorder: str, database: str | None) -> None:
    summary = result.summary
    assert summary is not None  # noqa: S101 (the caller has looked)
    program = printable(os.path.basename(command))
    _say(
        f"run {result.run_id} ({program}): {_paths(summary.read)} read, {summary.created:,} "
        f"created, {summary.modified:,} modified, {summary.deleted:,} deleted"
    )
    if result.left:
        processes = "1 process" if result.left == 1 else f"{result.left:,} processes"
        _say(f"{processes} that it started still run, unrecorded from now on (see --wait)")
    if summary.unseen:
        _say(f"{summary.unseen:,} calls were seen without a path: their process cannot be read")
    if summary.lost:
        _say(f"{summary.lost:,} events were lost")
    _say(f"seen by the recorder {recorder}, stored in {_home_as_tilde(shown(database))}")
    _say(f"next: imptrace show {result.run_id}, imptrace recommend {program}")


def _paths(count: int) -> str:
    return "1 path" if count == 1 else f"{count:,} paths"


def _home_as_tilde(path: str) -> str:
    home = os.environ.get("HOME", "").rstrip("/")
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path


def _say(text: str) -> None:
    # One write: the program's children may write to the same terminal.
    sys.stderr.write(f"imptrace: {text}\n")
