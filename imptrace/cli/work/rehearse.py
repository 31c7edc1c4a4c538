"""What `imptrace rehearse` does, once it is known what is wanted of it."""

import json as json_module
import os
import sys
import tempfile
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from imptrace.catalogue import shipped
from imptrace.cli.asked import Asked, asked
from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json
from imptrace.cli.record import record
from imptrace.cli.wish import Wish
from imptrace.cli.work.rehearse_unit import UnitRehearsal
from imptrace.db import queries
from imptrace.db.engine import reading, writing
from imptrace.db.records import WHOLE, Part, RehearsalRecord
from imptrace.db.rehearsals import store_rehearsal
from imptrace.errors import ImptraceError, UsageError
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.gather import gather
from imptrace.facts.given import read_given
from imptrace.facts.levels import Kind, Level
from imptrace.judge.advise import advise
from imptrace.judge.fingerprint import fingerprint
from imptrace.judge.model import Method, Recommendation
from imptrace.kept.declared import declared_by_configuration
from imptrace.kept.rehearse.compare import PathVerdicts, came_back, findings
from imptrace.kept.rehearse.model import How, Keep, Launch, Launcher, Plan, Rehearsed
from imptrace.kept.rehearse.rehearsing import rehearse as play
from imptrace.render import rehearsal
from imptrace.tracer.program import find_user
from imptrace.tracer.recorder import RecorderUnavailableError, launchers

STATE_IS_LOST = 1
NOTHING_IS_PROVEN = 3
_SECONDS = 120.0
_HOW = {Method.BIND: How.BIND, Method.SYMLINK: How.SYMLINK, Method.NONE: How.COPY}
_METHODS = {how: method for method, how in _HOW.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearseOptions:
    """The options of the command, which it checked."""

    name: str
    command: tuple[str, ...]
    unit: str | None
    first: str | None
    again: str | None
    existing: bool
    advice: Path | None
    config: Path | None
    user: str | None
    seconds: float | None
    stop: bool
    own_network: bool
    interactive: bool
    json: bool
    database: str | None


def rehearse(wanted: RehearseOptions) -> int:
    """Rehearse, and tell: 0 if all came back."""
    unit = None
    if wanted.unit is not None:
        unit = UnitRehearsal.of(wanted.unit, stop=wanted.stop, own_network=wanted.own_network)
    found = _asked(wanted, unit)
    keeps = _keeps(found, wanted) or (unit.keeps() if unit and not found.recommendations else ())
    if not keeps and wanted.advice is None and wanted.config is None:
        raise UsageError(f"nothing is recommended for {wanted.name}: there is nothing to rehearse")
    with (
        tempfile.TemporaryDirectory(prefix="imptrace-rehearsed-") as exchange,
        unit.prepared(Path(exchange), wanted.seconds, wanted.first, wanted.again)
        if unit
        else nullcontext(),
    ):
        plan = _plan(wanted, found, keeps, unit)
        rehearsed = play(plan, _launcher(wanted), Path(exchange))
        shown = _compared(wanted, unit, plan, rehearsed, f"{exchange}/imptrace.db")
    _remember(wanted, found, plan, shown)
    if wanted.json:
        answer_json(rehearsal.answer(shown))
    else:
        answer(rehearsal.text(shown))
    if shown.findings:
        return STATE_IS_LOST
    return NOTHING_IS_PROVEN if rehearsal.verdict(shown) == rehearsal.UNPROVEN else 0


def _remember(wanted: RehearseOptions, found: Asked, plan: Plan, shown: rehearsal.Shown) -> None:
    """Store the result beside what was recorded, for `recommend` to tell of it."""
    verdict = rehearsal.verdict(shown)
    if found.advice is None or verdict == rehearsal.UNPROVEN:
        return
    rows = (
        (each.path, each.kind, _METHODS[each.how], each.level, each.user, each.group, each.mode)
        for each in plan.keeps
    )
    record_of_it = RehearsalRecord(
        subject=found.advice.subject.name,
        fingerprint=fingerprint(rows),
        verdict=verdict,
        unit=shown.unit,
        at_ns=time.time_ns(),
    )
    try:
        with writing(wanted.database, create=True) as engine:
            store_rehearsal(engine, record_of_it)
    except ImptraceError as error:
        say(f"the result is not kept: {error}")


def _asked(wanted: RehearseOptions, unit: UnitRehearsal | None) -> Asked:
    """Find what is advised; of a unit that nobody knows, nothing but what it declares."""
    try:
        return asked([wanted.name], wanted.database)[0]
    except UsageError:
        if unit is None:
            raise
        return Asked(name=wanted.name, recommendations=())


def _plan(
    wanted: RehearseOptions, found: Asked, keeps: tuple[Keep, ...], unit: UnitRehearsal | None
) -> Plan:
    commands = unit.commands() if unit is not None else _commands(found, wanted)
    home = find_user(wanted.user).home if wanted.user else os.environb.get(b"HOME", b"/")
    hidden = tuple(each.path for each in found.recommendations)
    return Plan(
        first=commands[0],
        again=commands[1],
        keeps=keeps,
        hidden=hidden or tuple(each.path for each in keeps),
        home=os.path.realpath(home),
        seconds=_SECONDS if unit is not None else wanted.seconds or _SECONDS,
        interactive=wanted.interactive,
        existing=wanted.existing,
    )


def _launcher(wanted: RehearseOptions) -> Launcher:
    """Record in the copy, by what sees paths as the copy has them: eBPF sees the machine's."""

    def launch(asked_for: Launch) -> int:
        wish = Wish(
            command=asked_for.command,
            database=asked_for.database,
            label=asked_for.label,
            user=wanted.user,
            quiet=True,
        )
        *others, last = (info.name for info in launchers() if not info.privileged)
        for name in others:
            with suppress(RecorderUnavailableError):
                return record(wish._replace(recorder=name))
        return record(wish._replace(recorder=last))

    return launch


def _commands(found: Asked, wanted: RehearseOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell both commands: given, for the shell, or the one that was recorded last."""
    command, first, again = wanted.command, wanted.first, wanted.again
    if command and (first or again):
        raise UsageError("give a command, or --first and --again: not both")
    if first or again:
        one, two = first or again, again or first
        return ("sh", "-c", str(one)), ("sh", "-c", str(two))
    if not command and found.advice is not None and found.advice.runs:
        with reading(wanted.database) as engine:
            newest = max(found.advice.runs)
            argv = next(run.argv for run in queries.runs(engine) if run.id == newest)
        command = tuple(os.fsdecode(word) for word in argv)
    if not command:
        raise UsageError(f"how is {found.name} started? say: imptrace rehearse {found.name} -- ...")
    return command, command


def _keeps(found: Asked, wanted: RehearseOptions) -> tuple[Keep, ...]:
    if wanted.advice is not None:
        return _from_json(wanted.advice)
    if wanted.config is not None:
        text = _read(wanted.config)
        return tuple(
            Keep(path=each.path, kind=each.kind, level=each.level)
            for each in declared_by_configuration(text, str(wanted.config))
        )
    return tuple(_keep(each) for each in found.recommendations)


def _keep(each: Recommendation) -> Keep:
    return Keep(
        path=each.path,
        kind=each.kind,
        how=_HOW[each.method],
        level=each.level,
        user=each.user,
        group=each.group,
        mode=each.mode,
    )


def _from_json(file: Path) -> tuple[Keep, ...]:
    try:
        rows = json_module.loads(_read(file))["recommendations"]
        return tuple(
            Keep(
                path=os.fsencode(each["path"]),
                kind=Kind(each["kind"]),
                how=How.COPY if each.get("method") == "none" else How(each.get("method", "bind")),
                level=Level(each["level"]),
                user=each.get("user"),
                group=each.get("group"),
                mode=int(each["mode"], 8) if each.get("mode") else None,
            )
            for each in rows
            if each.get("scope", "owned") == "owned"
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file} holds no imptrace.recommendation/1: {error}") from error


def _read(file: Path) -> str:
    try:
        return read_given(file).decode(errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _compared(
    wanted: RehearseOptions,
    unit: UnitRehearsal | None,
    plan: Plan,
    rehearsed: Rehearsed,
    database: str,
) -> rehearsal.Shown:
    """Hold the recordings of the starts against each other."""
    _say_why(rehearsed)
    # What the manager in the copy does is not the unit's doing.
    part = Part(units=(unit.unit.name,)) if unit is not None else WHOLE
    with reading(database) as engine:
        records = queries.runs(engine)
        runs = {
            str(each.label): queries.run_details(engine, each.id, part=part) for each in records
        }
        if len(runs) < len(rehearsed.starts):
            raise ImptraceError("a start was not recorded: see above")
        names = tuple(str(each.id) for each in records[:2])
        facts = gather(engine, Question(names=names), shipped())
    if unit is not None:
        own = tuple(runs[str(each.label)] for each in records[:2])
        facts = replace(facts, runs=own, unit_properties=unit.unit.properties)
    advice = advise(facts, with_verdicts=True)
    judged = PathVerdicts(
        {each.path: each.level for each in advice.verdicts},
        frozenset(each.path for each in advice.set_aside),
    )
    return rehearsal.Shown(
        what=wanted.name,
        unit=unit.unit.name if unit is not None else None,
        rehearsed=rehearsed,
        findings=findings(plan, rehearsed, runs, judged),
        back=came_back(plan, rehearsed, runs),
    )


def _say_why(rehearsed: Rehearsed) -> None:
    """Pass on what imptrace itself said in a start, and that a program never worked."""
    for start in rehearsed.starts:
        for line in start.stderr.splitlines():
            if line.startswith("imptrace: "):
                sys.stderr.write(f"{line}\n")
