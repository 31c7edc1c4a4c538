"""What became of a move, in lines and as JSON."""

from collections.abc import Sequence

from imptrace.kept.move.holders import Holder
from imptrace.kept.move.moving import Moved, MoveOutcome
from imptrace.kept.move.session import MoveReport
from imptrace.render.run_json import path_name, plain_text
from imptrace.render.text import printable
from imptrace.render.words import size

SCHEMA = "imptrace.move/1"
_WORDS = {
    MoveOutcome.COPIED: "copied",
    MoveOutcome.UPDATED: "brought up to date",
    MoveOutcome.THERE: "there already",
    MoveOutcome.ABSENT: "not there now",
    MoveOutcome.NEWER: "left",
    MoveOutcome.IN_USE: "in use",
    MoveOutcome.FAILED: "FAILED",
    MoveOutcome.REMOVED: "removed from the store",
    MoveOutcome.WOULD_COPY: "to copy",
    MoveOutcome.WOULD_UPDATE: "to bring up to date",
}


def line(moved: Moved) -> str:
    """Say what became of one path."""
    amount = f" ({size(moved.size)})" if moved.size else ""
    note = f": {printable(moved.note)}" if moved.note else ""
    return f"{_WORDS[moved.outcome]:20} {printable(moved.path)}{amount}{note}"


def holding(holders: Sequence[Holder]) -> list[str]:
    """Say who has files open, a line for each program or unit."""
    together: dict[str, Holder] = {}
    for holder in holders:
        who = holder.unit or f"{holder.program} (pid {holder.pid})"
        known = together.get(who)
        if known is None or (holder.writes and not known.writes):
            together[who] = holder
    return [
        f"{printable(who)} {'writes to' if holder.writes else 'has open'} {printable(holder.path)}"
        for who, holder in together.items()
    ]


def advice(report: MoveReport) -> list[str]:
    """Say what there is to do about what was left."""
    found = {each.outcome for each in report.moved}
    said = [f"left out: {printable(p)}: {w}" for each in report.moved for p, w in each.left_out]
    said += map(printable, report.troubles)
    if MoveOutcome.IN_USE in found:
        units = any(each.unit for each in report.holders)
        how = "--stop stops and starts its unit; " if units else "quit the program; "
        said.append(f"{how}--live copies it as it is: repeat that when nobody writes any more")
    if MoveOutcome.NEWER in found:
        said.append("what is newer in the store is never overwritten: move it aside by hand")
    if MoveOutcome.FAILED in found:
        said.append("the same command again goes on where this one ended")
    return said


def answer(report: MoveReport) -> dict[str, object]:
    """Write `imptrace.move/1`."""
    return {
        "schema": SCHEMA,
        "store": plain_text(report.storage),
        "done": report.is_done,
        "stopped": list(report.stopped),
        "troubles": list(report.troubles),
        "paths": [
            {
                **path_name(each.path),
                "outcome": each.outcome.value,
                "size": each.size,
                "note": printable(each.note),
                "left_out": [[plain_text(path), why] for path, why in each.left_out],
            }
            for each in report.moved
        ],
        "holders": [
            {
                "pid": each.pid,
                "program": printable(each.program),
                "unit": each.unit,
                **path_name(each.path),
                "writes": each.writes,
            }
            for each in report.holders
        ],
    }
