"""`imptrace watch`: record the whole machine."""

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from imptrace.catalogue.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.messages import say, summarise
from imptrace.cli.options import Database, Label, Quiet, Stats
from imptrace.db.location import default_path
from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.answering import SOCKET
from imptrace.kept.boot import this_boot
from imptrace.kept.walk import Tree
from imptrace.kept.wiped import Said, layout
from imptrace.record import always, terminal
from imptrace.record.answering import Answering, extract_of
from imptrace.record.apart import Apart
from imptrace.record.attach import read_duration
from imptrace.record.following import Following
from imptrace.record.held import held
from imptrace.record.session import RecordingRequest, Session
from imptrace.record.watch import Watched, a_unit, begin, holds, the_machine
from imptrace.tracer.bpf.recorder import EVERYBODY, BpfRecorder
from imptrace.tracer.events import Event, RunScope
from imptrace.tracer.mountinfo import own_mounts
from imptrace.tracer.permission import is_privileged
from imptrace.tracer.recorder import RecorderOptions


def watch(
    *,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.units,
            help="Only a systemd unit, or catalogue name.",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", autocompletion=completing.users, help="Only the processes of this user."
        ),
    ] = None,
    paths: Annotated[
        list[Path] | None,
        typer.Option("--path", metavar="DIR", help="Only what lies below; repeatable."),
    ] = None,
    all_mounts: Annotated[
        bool,
        typer.Option("--all-mounts", help="Also on file systems that the next boot keeps."),
    ] = False,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TIME",
            autocompletion=completing.TIMES,
            help="End after this time: 30s, 5m, 1h.",
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            autocompletion=completing.AGES,
            help="First remove runs of the machine that are older: 12h, 30d.",
        ),
    ] = None,
    at_most: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            autocompletion=completing.SIZES,
            help="Remove the oldest runs of the machine while the database is larger: 500M, 2G.",
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            autocompletion=completing.SPANS,
            help="Begin a new run so often, without a gap: 12h, 1d.",
        ),
    ] = None,
    answer_at: Annotated[
        Path | None,
        typer.Option(
            "--socket",
            metavar="PATH",
            help="Answer users there about what their own processes did (docs/watch.md).",
        ),
    ] = None,
    install: Annotated[
        bool,
        typer.Option("--install", help="Only print a systemd unit that always does this."),
    ] = False,
    database: Database = None,
    label: Label = None,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Record only what can change a file.")
    ] = False,
    stats: Stats = False,
    quiet: Quiet = False,
) -> None:
    """Record the whole machine: who changes and reads what.

    Until Ctrl-C, by default on all file systems that the next boot wipes. Nothing waits for it.
    Needs root.

    Example: imptrace watch --for 1h
    """
    seconds = read_duration(duration) if duration else None
    age = read_duration(keep) if keep else None
    period = read_duration(every) if every else None
    most = always.read_size(at_most) if at_most else None
    if install:
        chosen = {
            "--every": every or always.RUN,
            "--keep": keep or always.KEEP,
            "--at-most": at_most or always.AT_MOST,
            "--socket": str(answer_at or SOCKET),
            "--unit": unit,
            "--user": user,
            "--db": database,
            "--label": label,
            "--for": duration,
        }
        words = [word for name, value in chosen.items() if value for word in (name, value)]
        words += [word for path in paths or [] for word in ("--path", os.path.abspath(path))]
        flags = {"--all-mounts": all_mounts, "--writes-only": writes_only, "--stats": stats}
        typer.echo(always.unit([*words, *(name for name, on in flags.items() if on)]), nl=False)
        return
    if not is_privileged():
        raise UsageError("watch needs root: sudo imptrace watch")
    answering = ExitStack()
    apart = answering.enter_context(closing(Apart()))
    apart.do(always.prepare, database)
    answers = _answering(answer_at, database, apart, answering)
    tidy = _Tidying(apart, database, age, most)
    tidy.begin()
    watched = _watched(unit, user, paths or [], all_mounts=all_mounts or bool(paths))
    options = RecorderOptions(stats=stats, writes_only=writes_only)
    wake = terminal.waker()
    blocked = terminal.hold_signals()
    try:
        # Before anything is recorded, so that nothing recorded is told of as if it came before.
        before = tuple(_held(watched))
        recorder = begin(watched, options)
        recorder.ignore(apart.pid)
    except BaseException:
        terminal.release_signals(blocked)
        raise
    request = RecordingRequest(
        subject=watched.subject,
        label=label,
        service=watched.service,
        scope=watched.scope,
        properties=watched.properties,
        database=database,
        wait_for_children=True,
        crowded=True,
        at_beginning=partial(_beginning, recorder, watched, before),
        summary=not quiet,
    )
    session = Session(recorder, request, wake).start()
    answers(Following(recorder, options))
    if not quiet:
        say(f"watching {watched.words}; {'Ctrl-C' if seconds is None else duration} ends it")

    def turn() -> None:
        tidy.forget()
        session.turn()

    chores = [terminal.Chore(_TIDY_SECONDS, lambda: tidy.bound(turn))] if most else []
    if period is not None:
        chores.append(terminal.Chore(period, turn))
    terminal.attend_attached(
        session, recorder.leave, tracer=recorder.supervisor, seconds=seconds, chores=chores
    )
    result = session.result()
    answering.close()
    if result.summary is not None:
        summarise(
            result,
            watched.service or "watch",
            recorder.name,
            database,
            service=watched.service,
            of_machine=watched.scope is RunScope.MACHINE,
        )
    if result.failure is not None:
        raise result.failure


def _answering(
    place: Path | None, database: str | None, apart: Apart, until: ExitStack
) -> Callable[[Following], None]:
    """Begin to answer users, where that is wanted; what is to be called with what they may follow.

    Raises ImptraceError.
    """
    if place is None:
        return lambda _following: None
    if database is not None and "://" in database:
        raise UsageError("--socket is for a database in a file")
    file = Path(os.path.abspath(database or default_path()))
    answering = Answering(place, file, partial(apart.do, extract_of)).start()
    until.enter_context(closing(answering))
    return answering.follow


_TIDY_SECONDS = 300.0


class _Tidying:
    """Removes what is old or too much; that it fails is no reason to record nothing."""

    def __init__(
        self, apart: Apart, database: str | None, age: float | None, most: int | None
    ) -> None:
        self._apart = apart
        self._database = database
        self._age = age
        self._most = most

    def begin(self) -> None:
        """Make room before anything is recorded."""
        self.forget()
        self.bound(lambda: None)

    def forget(self) -> None:
        """Remove what is too old."""
        try:
            if self._age is not None:
                self._apart.do(always.forget, self._database, self._age)
        except ImptraceError as error:
            say(f"nothing old was removed: {error}")

    def bound(self, turn: Callable[[], None]) -> None:
        """Remove the oldest runs while there is too much; where one alone is too much, end it."""
        try:
            if self._most is None:
                return
            if not self._apart.do(always.bound, self._database, self._most):
                turn()
        except ImptraceError as error:
            say(f"the database is not made smaller: {error}")


def _beginning(
    recorder: BpfRecorder, watched: Watched, before: Iterable[Event], at: int
) -> Iterable[Event]:
    """Tell a new run what goes on already."""
    if not at:
        return before
    recorder.renew()
    return _held(watched, at)


def _held(watched: Watched, at: int = 0) -> Iterable[Event]:
    if watched.where.machine and watched.where.user == EVERYBODY:
        return held(holds(watched.where), at)
    return ()


def _watched(unit: str | None, user: str | None, paths: list[Path], *, all_mounts: bool) -> Watched:
    def known(word: str) -> list[str]:
        return [unit for entry in shipped().matching(word) for unit in entry.units]

    if unit is not None and user is not None:
        raise UsageError("--unit and --user: name one of them")
    tops = [os.path.realpath(os.fsencode(path)) for path in paths]
    wiped = None if all_mounts else _wiped()
    if unit is not None:
        return a_unit(unit, known, tops, wiped)
    return the_machine(user, tops, wiped)


def _wiped() -> list[bytes]:
    """Name the file systems that the next boot wipes; all on disk where none is known to be."""
    seen = layout(own_mounts(), Said(), Tree(), this_boot())
    wiped = [each.path for each in seen.wiped]
    return wiped or [each.path for each in seen.file_systems]
