"""What `imptrace rehearse` does."""

import json as json_module
import os
import sys
import tempfile
from pathlib import Path

from imptrace.catalogue import shipped
from imptrace.cli.asked import Asked, asked
from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json
from imptrace.cli.record import record
from imptrace.cli.wish import Wish
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.errors import ImptraceError, UsageError
from imptrace.evidence.gather import Question, gather
from imptrace.facts.levels import Kind, Level
from imptrace.judge.advise import advise
from imptrace.judge.model import Method, Recommendation
from imptrace.kept.declared import declared_by_configuration
from imptrace.kept.rehearse.compare import Judged, came_back, findings
from imptrace.kept.rehearse.model import How, Keep, Launch, Plan, Rehearsed
from imptrace.kept.rehearse.rehearsing import rehearse as play
from imptrace.render import rehearsal
from imptrace.render.text import printable
from imptrace.tracer.program import find_user

STATE_IS_LOST = 1


_HOW = {Method.BIND: How.BIND, Method.SYMLINK: How.SYMLINK, Method.NONE: How.COPY}


def rehearse(
    *,
    words: list[str],
    first: str | None,
    again: str | None,
    advice: Path | None,
    config: Path | None,
    user: str | None,
    seconds: float,
    interactive: bool,
    json: bool,
    database: str | None,
) -> int:
    """Do what imptrace.cli.rehearse was asked, where each option is explained."""
    name, *command = words
    found = asked([name], database)[0]
    commands = _commands(found, command, first, again, database)
    keeps = _keeps(found, advice, config)
    if not keeps and advice is None and config is None:
        raise UsageError(f"nothing is recommended for {name}: there is nothing to rehearse")
    home = find_user(user).home if user else os.environb.get(b"HOME", b"/")
    plan = Plan(
        first=commands[0],
        again=commands[1],
        keeps=keeps,
        hidden=tuple(each.path for each in found.recommendations),
        home=os.path.realpath(home),
        seconds=seconds,
        interactive=interactive,
    )

    def launch(asked_for: Launch) -> int:
        wish = Wish(
            command=asked_for.command,
            database=asked_for.database,
            label=asked_for.label,
            user=user,
            quiet=True,
        )
        return record(wish)

    with tempfile.TemporaryDirectory(prefix="imptrace-rehearsed-") as exchange:
        rehearsed = play(plan, launch, Path(exchange))
        shown = _compared(name, plan, rehearsed, f"{exchange}/imptrace.db")
    if json:
        answer_json(rehearsal.answer(shown))
    else:
        answer(rehearsal.text(shown))
    return STATE_IS_LOST if shown.findings else 0


def _commands(
    found: Asked, command: list[str], first: str | None, again: str | None, database: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell both commands: given, for the shell, or the one that was recorded last."""
    if command and (first or again):
        raise UsageError("give a command, or --first and --again: not both")
    if first or again:
        one, two = first or again, again or first
        return ("sh", "-c", str(one)), ("sh", "-c", str(two))
    if not command and found.advice is not None and found.advice.runs:
        with reading(database) as engine:
            newest = max(found.advice.runs)
            argv = next(run.argv for run in queries.runs(engine) if run.id == newest)
        command = [os.fsdecode(word) for word in argv]
    if not command:
        raise UsageError(f"how is {found.name} started? say: imptrace rehearse {found.name} -- ...")
    return tuple(command), tuple(command)


def _keeps(found: Asked, advice: Path | None, config: Path | None) -> tuple[Keep, ...]:
    if advice is not None and config is not None:
        raise UsageError("--advice and --config exclude each other")
    if advice is not None:
        return _from_json(advice)
    if config is not None:
        text = _read(config)
        return tuple(
            Keep(path=each.path, kind=each.kind, level=each.level)
            for each in declared_by_configuration(text, str(config))
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
        return file.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _compared(name: str, plan: Plan, rehearsed: Rehearsed, database: str) -> rehearsal.Shown:
    """Hold the recordings of the starts against each other."""
    _say_why(rehearsed)
    with reading(database) as engine:
        records = queries.runs(engine)
        runs = {str(each.label): queries.run_details(engine, each.id) for each in records}
        if len(runs) < len(rehearsed.starts):
            raise ImptraceError("a start was not recorded: see above")
        names = tuple(str(each.id) for each in records[:2])
        facts = gather(engine, Question(names=names), shipped())
    advice = advise(facts, with_verdicts=True)
    judged = Judged(
        {each.path: each.level for each in advice.verdicts},
        frozenset(each.path for each in advice.set_aside),
    )
    return rehearsal.Shown(
        what=name,
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
    if all(start.code and not start.was_ended for start in rehearsed.starts):
        code, said = rehearsed.starts[-1].code, rehearsed.starts[-1].stderr.strip()
        last = printable(said.splitlines()[-1]) if said else "it says nothing"
        say(f"every start fails, also without a wipe: {code}: {last}")
