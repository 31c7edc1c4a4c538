"""Recording a program from its start to the summary: what `imptrace run` does.

The program starts before anything is imported that it need not wait for.
"""

import os
import resource
from threading import Event, Thread
from typing import TYPE_CHECKING

from imptrace.cli.wish import Wait, Wish
from imptrace.db.location import unwritable
from imptrace.errors import ImptraceError, UsageError
from imptrace.record import terminal
from imptrace.record.launch import launch
from imptrace.tracer.mountinfo import own_mounts
from imptrace.tracer.program import find_program, find_user, subject_of
from imptrace.tracer.recorder import RecorderOptions

if TYPE_CHECKING:
    from imptrace.record.session import RecordingResult, Session
    from imptrace.tracer.recorder import Launched

KILLED = 128
_THREADS = 5
"""Threads and processes that recording takes besides the program's own."""


def record(wish: Wish) -> int:
    """Record a program; returns its exit code, or dies as it died. Raises ImptraceError."""
    if wish.keep_env and not wish.user:
        raise UsageError("--keep-env is for --user: your own programs get your environment")
    program = find_program(
        [os.fsencode(word) for word in wish.command],
        find_user(wish.user) if wish.user else None,
        map(os.fsencode, wish.keep_env),
    )
    if wish.label is not None or wish.service is not None:
        from imptrace.cli.naming import check_label, check_service

        check_label(wish.label)
        check_service(wish.service)
    trouble = unwritable(wish.database)
    if trouble is not None:
        _say(f"{trouble}; nothing of this run will be stored")
    options = RecorderOptions(
        stats=wish.stats, writes_only=wish.writes_only, io_uring=wish.io_uring
    )
    subject, mounts = subject_of(program), own_mounts()
    _expect_threads()
    wake = terminal.waker()
    blocked = terminal.hold_signals()
    try:
        recorder, notes = launch(wish.recorder, program, options, blocked)
    except BaseException:
        terminal.release_signals(blocked)
        raise
    from imptrace.record.session import RecordingRequest, Session

    request = RecordingRequest(
        subject=subject,
        label=wish.label,
        service=wish.service,
        database=wish.database,
        mounts=mounts,
        wait_for_children=wish.wait is Wait.CHILDREN,
        summary=not wish.quiet,
        at_once=None if wish.quiet else _say,
    )
    try:
        session = Session(recorder, request, wake).start()
    except RuntimeError as error:
        return _unrecorded(recorder, error)
    for note in notes:
        _say(note)
    if not os.path.exists("/proc/self"):
        _say("/proc is not mounted: what the program does to files cannot be told")
    terminal.attend(
        session,
        program=recorder.program,
        supervisor=recorder.supervisor,
        counted=recorder.signals,
    )
    return _end(session, session.result(), (subject.program, recorder.name), wish)


def _expect_threads() -> None:
    """Find out before the program starts that it cannot be recorded. Raises ImptraceError."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if limit == resource.RLIM_INFINITY or os.geteuid() == 0:
        return
    end = Event()
    trials = [Thread(target=end.wait) for _ in range(_THREADS)]
    started: list[Thread] = []
    try:
        for trial in trials:
            trial.start()
            started.append(trial)
    except RuntimeError as error:
        raise ImptraceError(
            f"too few processes are allowed to record one: {_THREADS} more are needed; "
            "see: ulimit -u"
        ) from error
    finally:
        end.set()
        for trial in started:
            trial.join()


def _unrecorded(recorder: "Launched", error: RuntimeError) -> int:
    """Say that what runs already is not recorded, and end as it ends."""
    from imptrace.tracer.events import ProgramEnded

    _say(f"not recorded: {error}")
    while True:
        for event in recorder.events(1000):
            if isinstance(event, ProgramEnded):
                code = os.waitstatus_to_exitcode(event.status)
                if code < 0:
                    terminal.die_by(-code)
                return code or ImptraceError.exit_code


def _say(text: str) -> None:
    from imptrace.cli.messages import say

    say(text)


def _end(
    session: "Session", result: "RecordingResult", names: tuple[bytes, str], wish: Wish
) -> int:
    """Say what came of it, and end as the program ended."""
    from imptrace.cli.messages import say, summarise

    code = _program_code(session)
    if result.summary is not None:
        program, recorder = names
        summarise(result, os.fsdecode(program), recorder, wish.database, service=wish.service)
        if code > 0:
            say(f"the program failed: it ended with exit code {code}")
    if session.ended is None:
        say("its supervisor was killed: how the program ended is not known")
    if result.failure is not None and code == 0:
        raise result.failure
    if result.failure is not None:
        say(str(result.failure))
    if code < 0:
        terminal.die_by(-code)
        return KILLED - code
    return code


def _program_code(session: "Session") -> int:
    """How the program ended: its exit code, a negated signal, or 125 if that is not known."""
    if session.ended is None:
        return ImptraceError.exit_code
    return os.waitstatus_to_exitcode(session.ended.status)
