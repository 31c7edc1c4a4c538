"""What `imptrace leaks` does."""

import os
import sys
from contextlib import closing
from pathlib import Path

from imptrace.cli.commands import COMMANDS
from imptrace.cli.messages import say
from imptrace.cli.options import keep_garbage
from imptrace.cli.output import answer as show
from imptrace.cli.output import answer_json, screen
from imptrace.db.engine import reading_if_there
from imptrace.errors import UsageError
from imptrace.facts.levels import Level
from imptrace.facts.paths import name_of
from imptrace.judge.model import Advice, Subject
from imptrace.kept.ignored import ignore
from imptrace.kept.leaks.answer import LeaksQuestion, answer
from imptrace.kept.leaks.model import Answer
from imptrace.kept.lone_path import lone_path
from imptrace.kept.walk import Tree, entries_of
from imptrace.kept.wiped import Said
from imptrace.render import leaks_json, leaks_ncdu, leaks_text
from imptrace.render.nix import nix
from imptrace.render.words import command_line

SOMETHING_MATTERS = 1


def leaks(
    *,
    paths: list[Path] | None,
    ephemeral: list[Path] | None,
    kept: list[Path] | None,
    root: Path,
    since: str | None,
    level: Level | None,
    user: str | None,
    unit: str | None,
    why: bool,
    set_aside: bool,
    ncdu: bool,
    quiet: bool,
    interactive: bool,
    database: str | None,
    json: bool,
    pager: bool,
) -> int:
    """Do what imptrace.cli.leaks was asked, where each option is explained."""
    keep_garbage()
    if json + ncdu + quiet > 1:
        raise UsageError("--json, --ncdu and --quiet exclude each other")
    question = LeaksQuestion(
        paths=_absolute(paths),
        said=Said(ephemeral=_absolute(ephemeral), kept=_absolute(kept)),
        base=os.path.abspath(os.fsencode(root)),
        since=since,
        least=level,
        user=user,
        unit=unit,
        detailed=set_aside,
    )
    with reading_if_there(database) as engine:
        found = answer(question, engine)
    plain = json or ncdu or quiet or why or set_aside or not interactive
    if not plain and found.leaks and _is_terminal():
        _browse(found, question.base)
    elif not quiet:
        _tell(found, question, json=json, ncdu=ncdu, why=why, pager=pager)
    return SOMETHING_MATTERS if found.matters else 0


def _tell(
    found: Answer, question: LeaksQuestion, *, json: bool, ncdu: bool, why: bool, pager: bool
) -> None:
    if json:
        answer_json(leaks_json.leaks(found))
        return
    if ncdu:
        paths = [(leak.path, leak.kind) for leak in found.leaks]
        for chunk in leaks_ncdu.export(question.base, paths):
            sys.stdout.buffer.write(chunk)
        return
    least = question.least or Level.NORMAL
    shown = [leak for leak in found.leaks if leak.level >= least]
    sections = [
        leaks_text.why(found, screen()) if why else "",
        leaks_text.table(shown, screen()),
        leaks_text.set_aside(found) if question.detailed else "",
    ]
    text = "\n\n".join(section for section in sections if section)
    if text:
        show(text, pager=pager)
    for line in leaks_text.notes(found, shown):
        say(line)


def _is_terminal() -> bool:
    terminal = os.environ.get("TERM", "dumb") != "dumb"
    return terminal and sys.stdin.isatty() and sys.stdout.isatty()


def _browse(found: Answer, base: bytes) -> None:
    """Let the user walk through it, and write Nix for what was marked."""
    # Slow to import, and of no use to a pipe.
    from imptrace.render.browse.app import Browser
    from imptrace.render.browse.forest import ForestNode

    def look(path: bytes) -> list[ForestNode]:
        with closing(Tree(base)) as tree:
            entries = entries_of(tree, path)
        return [
            ForestNode(
                each.path, name_of(each.path), held=each.size, is_directory=each.is_directory
            )
            for each in entries
        ]

    browser = Browser(found.leaks, leaks_text.summary(found), ignore, look)
    marked = browser.run()
    if not marked:
        return
    recommendations = tuple(lone_path(path) for path in marked)
    advice = Advice(
        subject=Subject(program=None), runs=(), recommendations=recommendations, set_aside=()
    )
    storage = next(iter(found.stores), None)
    text, left_out = nix([advice], storage=storage)
    for reason in left_out:
        say(f"left out: {reason}")
    show(text, pager=False)
    if "keep" in COMMANDS:
        words = command_line([b"imptrace", b"keep", *marked])
        say(f"to write it into your configuration: {words} --config FILE")


def _absolute(paths: list[Path] | None) -> tuple[bytes, ...]:
    # Not resolved: a symbolic link may itself be what would be lost.
    return tuple(os.path.abspath(os.fsencode(path)) for path in paths or ())
