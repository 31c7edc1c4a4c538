"""The copy that must happen before the first switch, as a script for bash. Only printed."""

from collections.abc import Iterator, Sequence

from imptrace.facts.paths import name_of
from imptrace.judge.model import Advice
from imptrace.kept.disk import Present, Survey
from imptrace.render.text import printable
from imptrace.render.words import size

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_")
_PRINTABLE = range(0x20, 0x7F)


def plan(advice: Advice, survey: Survey, units: Sequence[str] = ()) -> str:
    """Write the script. `units`: what has to be stopped while its data is copied."""
    return "\n".join(_lines(advice, survey, units))


def lacks_space(survey: Survey) -> str | None:
    """Say that the store is too small for the copies, if it is."""
    if survey.free is None or survey.needed <= survey.free:
        return None
    return (
        f"{printable(survey.storage)} has {size(survey.free)} left, "
        f"and the copies need {size(survey.needed)}: make room first"
    )


def shell_word(text: bytes) -> str:
    r"""Quote bytes for bash, so that every one of them arrives.

    >>> shell_word(b"/var/lib/x"), shell_word(b"it's\n")
    ('/var/lib/x', "$'it\\'s\\n'")
    """
    if text and _PLAIN.issuperset(text):
        return text.decode("ascii")
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in "\\'":
        return "\\" + character
    if character == "\n":
        return "\\n"
    return character if byte in _PRINTABLE else f"\\x{byte:02x}"


def _lines(advice: Advice, survey: Survey, units: Sequence[str]) -> Iterator[str]:
    storage = printable(survey.storage)
    yield "#!/usr/bin/env bash"
    yield f"# Copies what exists now into {storage}, before the first switch hides it."
    yield f"# Nothing has been copied yet. Needed: {size(survey.needed)}; {_free(survey)}."
    lack = lacks_space(survey)
    if lack is not None:
        yield f"# TOO LITTLE SPACE: {lack}."
    yield "set -eu"
    if not survey.present:
        yield "# Nothing of what is recommended exists now: there is nothing to copy."
        return
    yield f"mkdir -p -- {shell_word(survey.storage)}"
    # cp --parents fails on absolute names whose parents it has made before (coreutils 9.1).
    yield "cd /"
    yield from _stopping(advice, units)
    for each in survey.present:
        yield from _copying(each, survey.storage)
    for missing in survey.absent:
        yield f"# Not there now: {printable(missing.path)}"


def _free(survey: Survey) -> str:
    if survey.free is None:
        return f"{printable(survey.storage)} does not exist yet"
    return f"free: {size(survey.free)}"


def _stopping(advice: Advice, units: Sequence[str]) -> Iterator[str]:
    if units:
        yield "# Stopped first, so that nothing changes while it is copied:"
        words = " ".join(shell_word(unit.encode()) for unit in units)
        yield f"systemctl stop -- {words}"
    elif advice.subject.program is not None:
        yield f"# Quit {printable(name_of(advice.subject.program))} first, if it is running."


def _copying(each: Present, storage: bytes) -> Iterator[str]:
    """Copy with owners, modes and times, those of the directories above included."""
    source = each.recommendation.path
    target = storage.rstrip(b"/") + source
    yield f"# {each.recommendation.level}, {size(each.size)}"
    yield (
        f"[ -e {shell_word(target)} ] || "
        f"cp --archive --parents --reflink=auto -- "
        f"{shell_word(source.lstrip(b'/'))} {shell_word(storage)}"
    )
