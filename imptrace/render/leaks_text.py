"""What the next boot takes, as a table; and what of it was set aside."""

import os
from collections.abc import Sequence

from imptrace.facts.levels import Level
from imptrace.kept.leaks.model import UNREADABLE, Answer, Leak
from imptrace.kept.writers import Attributed
from imptrace.render.gaps_text import gaps_text
from imptrace.render.screen import Screen
from imptrace.render.text import printable
from imptrace.render.words import command_line, counted, local_time, size, tilde

_HEADINGS = ("LEVEL", "SIZE", "CHANGED", "PATH", "WRITTEN BY", "TO KEEP IT")
_STYLES = {Level.SECRET: "red", Level.IMPORTANT: "yellow", Level.TRANSIENT: "dim"}
_HOW = {
    Attributed.RECORDED: "recorded",
    Attributed.DECLARED: "declared",
    Attributed.CATALOGUE: "catalogue",
    Attributed.OWNER: "owner",
    None: "unknown",
}
_WHYS = {
    "boot": "made anew at every boot, unchanged since this one",
    "ignored": "ignored, as you asked",
    "unreadable": "may not be looked at",
    "snapshot": "read-only snapshots, which are copies of what was elsewhere",
    "left-out": "subvolumes that the snapshot has nothing of",
    "swap": "swap files",
    "persistent": "mounted from elsewhere, and lasting",
    "store": "in the Nix store, or a link into it",
    "virtual": "made up by the kernel",
    "runtime": "empty after every boot by design",
    "temporary": "temporary files",
    "declarative": "made from the configuration",
    "package": "comes with the system's packages",
    "lock": "locks and pid files",
    "socket": "sockets and pipes",
    "device": "devices",
    "never": "the catalogue says not to keep it",
}


def table(leaks: Sequence[Leak], screen: Screen) -> str:
    """Show one line for each leak, with who wrote it and what would keep it."""
    if not leaks:
        return ""
    home = os.environb.get(b"HOME")
    rows = [_cells(leak, home) for leak in leaks]
    return "\n".join(screen.table(_HEADINGS, rows, [_STYLES.get(leak.level, "") for leak in leaks]))


def notes(answer: Answer, shown: Sequence[Leak]) -> list[str]:
    """Say what the whole comes to, what a table does not show, and what to type next."""
    said = [summary(answer), *_left_out(answer, shown)]
    if closed := answer.counts.get(UNREADABLE):
        said.append(f"{counted(closed, 'directory', 'directories')} not looked into: use sudo")
    said += gaps_text(answer.gaps)
    if shown:
        said.append(f"next: imptrace who {_word(shown[0].path)}, imptrace leaks --set-aside")
    return said


def _word(path: bytes) -> str:
    return command_line([path])


def _left_out(answer: Answer, shown: Sequence[Leak]) -> list[str]:
    known = {leak.path for leak in shown}
    rest = [leak for leak in answer.leaks if leak.path not in known]
    if not rest:
        return []
    total = sum(leak.size for leak in rest)
    what = f"{counted(len(rest), 'transient path')}, {size(total)}"
    return [f"{what}, can be made again (--level transient)"]


def summary(answer: Answer) -> str:
    """Say in one line what would be lost."""
    if not answer.roots:
        return "nothing here is known to be wiped at boot (--why tells; --ephemeral PATH names it)"
    counts = [
        f"{count} {level}"
        for level in sorted(Level, reverse=True)
        if (count := sum(leak.level is level for leak in answer.leaks))
    ]
    total = sum(leak.size for leak in answer.leaks)
    roots = ", ".join(printable(each.path) for each in answer.roots)
    what = f"{', '.join(counts)}; {size(total)}" if counts else "nothing"
    places = ", ".join(tilde(each, os.environb.get(b"HOME")) for each in answer.places)
    return f"the next boot wipes {roots} and takes{f' of {places}' if places else ''}: {what}"


def set_aside(answer: Answer) -> str:
    """Count what was set aside, by reason, and name the paths."""
    lines = [
        f"{why:<11} {count:>9,}  {_WHYS.get(why, why)}"
        for why, count in sorted(answer.counts.items())
    ]
    paths = [f"  {each.why!s:<11} {printable(each.path)}" for each in answer.set_aside]
    return "\n".join([*lines, *paths])


def why(answer: Answer, screen: Screen) -> str:
    """Show every file system, whether it is wiped, and how that is known."""
    rows = [
        (
            "wiped" if each.is_wiped else "lasts",
            printable(each.path),
            each.fstype or "-",
            printable(each.why),
        )
        for each in answer.file_systems
    ]
    stores = [f"store: {printable(store)}" for store in answer.stores]
    return "\n".join([*screen.table(("", "PATH", "TYPE", "WHY"), rows), *stores])


def _cells(leak: Leak, home: bytes | None) -> tuple[str, ...]:
    path = tilde(leak.path, home) + ("/" if leak.kind == "directory" else "")
    return (
        leak.level.value,
        size(leak.size),
        local_time(leak.mtime_ns)[:16],
        path,
        written_by(leak),
        leak.option or "-",
    )


def written_by(leak: Leak) -> str:
    """Name who wrote a path, and how that is known."""
    names = dict.fromkeys(
        printable(writer.program or writer.unit or writer.user or "?") for writer in leak.writers
    )
    first = list(names)[:2]
    more = f" +{len(names) - 2}" if len(names) > len(first) else ""
    return f"{', '.join(first) or '?'}{more} ({_HOW[leak.attributed]})"
