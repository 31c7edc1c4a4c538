"""`imptrace run`: record a program."""

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.cli.options import Database
from imptrace.cli.summary import say, summarise
from imptrace.errors import ImptraceError

if TYPE_CHECKING:
    from imptrace.session import Session
    from imptrace.tracer.notify import NotifyRecording
    from imptrace.tracer.program import Program
    from imptrace.tracer.ptrace import PtraceRecording
    from imptrace.tracer.recorder import RecorderOptions

KILLED = 128


class Wait(StrEnum):
    """What `run` waits for."""

    NONE = "none"
    CHILDREN = "children"


class Recorder(StrEnum):
    """How accesses are seen."""

    AUTO = "auto"
    NOTIFY = "notify"
    PTRACE = "ptrace"


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
    from imptrace.tracer.program import find_program, find_user, subject_of
    from imptrace.tracer.recorder import RecorderOptions

    program = find_program(
        [os.fsencode(word) for word in command], find_user(user) if user else None
    )
    options = RecorderOptions(stats=stats, writes_only=writes_only, io_uring=io_uring)
    wake = foreground.waker()
    blocked = foreground.hold_signals()
    try:
        recording = _launch(recorder, program, options, blocked)
    except BaseException:
        foreground.release_signals(blocked)
        raise
    request = Request(
        subject=subject_of(program),
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
        summarise(result, command[0], recording.name, database)
    if session.ended is None:
        say("its supervisor was killed: how the program ended is not known")
    if result.failure is not None and code == 0:
        raise result.failure
    if result.failure is not None:
        say(str(result.failure))
    if code < 0:
        foreground.die_by(-code)
        return KILLED - code
    return code


def _launch(
    recorder: Recorder, program: "Program", options: "RecorderOptions", blocked: list[int]
) -> "NotifyRecording | PtraceRecording":
    from imptrace.tracer.recorder import RecorderUnavailableError

    if recorder is not Recorder.PTRACE:
        from imptrace.tracer.notify import NotifyRecording

        try:
            return NotifyRecording(program, options, blocked)
        except RecorderUnavailableError as error:
            if recorder is Recorder.NOTIFY:
                raise
            say(f"{error}; recording with ptrace instead, which is slower")
    from imptrace.tracer.ptrace import PtraceRecording

    return PtraceRecording.launch(program, options, blocked)


def _program_code(session: "Session") -> int:
    """How the program ended: its exit code, a negated signal, or 125 if that is not known."""
    if session.ended is None:
        return ImptraceError.exit_code
    return os.waitstatus_to_exitcode(session.ended.status)
