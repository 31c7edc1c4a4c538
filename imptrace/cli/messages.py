"""What a command says on stderr, and how it ends: errors become one line and an exit code."""

import codecs
import errno
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from imptrace.errors import ImptraceError
from imptrace.render.text import printable

if TYPE_CHECKING:
    from imptrace.record.session import RecordingResult

DEBUG = "IMPTRACE_DEBUG"
INTERNAL_ERROR = 125
INTERRUPTED = 130
_LINE = 300
_NOT_WRITTEN = "the answer cannot be written"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.+@%][A-Za-z0-9_.+@%-]*")
"""A name that a shell takes as it stands."""

_IN_ASCII = {
    "“": '"', "”": '"', "→": "->", "…": "...", "│": "|", "├": "|", "└": "`", "─": "-",
}  # fmt: skip


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command, which returns its exit code or None. Exit codes: see imptrace.errors."""
    _write_in_any_locale()
    try:
        code = command()
        write_answer("")
    except ImptraceError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough.
        _forget_what_is_buffered()
        return 0
    except Exception as error:  # noqa: BLE001 (the last resort: nobody is shown a traceback)
        return _internal_error(error)
    return code if isinstance(code, int) else 0


def write_answer(text: str) -> None:
    """Write to stdout, at once. Raises ImptraceError where a disk is full, and BrokenPipeError."""
    try:
        if text:
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _forget_what_is_buffered()
        raise ImptraceError(f"{_NOT_WRITTEN}: {error.strerror}") from error


def _forget_what_is_buffered() -> None:
    """Let nothing that could not be written fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_in_any_locale() -> None:
    """Write what the locale has no characters for in others, as Latin-1 has no arrows."""
    codecs.register_error("imptrace", _replaced)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="imptrace")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(each) or _in_bytes(each) for each in text), error.end


def _in_bytes(character: str) -> str:
    """Write a character as the bytes that it is in a path: a byte e9 is no e with an accent."""
    is_byte = "\udc80" <= character <= "\udcff"
    written = character.encode("utf-8", "surrogateescape" if is_byte else "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in written)


def _internal_error(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _FULL:
        # What writes to stdout by itself, as help does.
        _forget_what_is_buffered()
        return _complain(f"{_NOT_WRITTEN}: {error.strerror}", INTERNAL_ERROR)
    if os.environ.get(DEBUG):
        # As slow as all else that a command needs to start.
        import traceback

        traceback.print_exc()
    what = f"{type(error).__name__}: {error}"
    if _database_is_foreign():
        return _complain(f"the database is damaged: {what}"[:_LINE], INTERNAL_ERROR)
    return _complain(f"internal error: {what}; {DEBUG}=1 shows more", INTERNAL_ERROR)


def _database_is_foreign() -> bool:
    sound = sys.modules.get("imptrace.db.sound")
    return sound is not None and bool(sound.is_foreign())


def _complain(message: str, exit_code: int) -> int:
    say(printable(message))
    if _is_json_wanted(sys.argv[1:]):
        from imptrace.cli.output import answer_json

        # Where that fails, too, the line on stderr has said it.
        with suppress(ImptraceError, BrokenPipeError):
            answer_json(
                {"schema": "imptrace.error/1", "exit": exit_code, "message": printable(message)}
            )
    return exit_code


def _is_json_wanted(words: list[str]) -> bool:
    """Whether a command line asks for JSON, also one that could not be taken apart.

    What stands behind `run` may be the program's.
    """
    own = words[: words.index("--")] if "--" in words else words
    is_format = "--format=json" in own or ("--format", "json") in pairwise(own)
    return own[:1] != ["run"] and ("--json" in own or is_format)


def summarise(
    result: "RecordingResult",
    command: str,
    recorder: str,
    database: str | None,
    *,
    service: str | None = None,
    of_machine: bool = False,
) -> None:
    """Say in a few lines on stderr what came of a recording, and what to ask next."""
    from imptrace.db.location import shown

    summary = result.summary
    assert summary is not None  # noqa: S101 (the caller has looked)
    program = printable(os.path.basename(command))
    asked = _asked_by(program, service) or str(result.run_id)
    say(
        f"run {result.run_id} ({program}): {_paths(summary.read)} read, {summary.created:,} "
        f"created, {summary.modified:,} modified, {summary.deleted:,} deleted"
    )
    if result.left:
        processes = "1 process" if result.left == 1 else f"{result.left:,} processes"
        say(f"{processes} that it started still run, unrecorded from now on (see --wait)")
    if summary.unseen:
        say(f"{summary.unseen:,} calls were seen without a path: their process cannot be read")
    if summary.lost:
        say(f"{summary.lost:,} events were lost")
    for warning in summary.warnings:
        say(printable(warning))
    say(f"seen by the recorder {recorder}, stored in {_home_as_tilde(shown(database))}")
    following = f"imptrace show {result.run_id}, imptrace recommend {asked}"
    if of_machine:
        following = f"imptrace runs --parts {result.run_id}, imptrace recommend PROGRAM"
    say(f"next: {following}")


def _asked_by(program: str, service: str | None) -> str | None:
    """Say how advice is asked for: by the service that was recorded, else by the program."""
    if service is not None and _PLAIN_WORD.fullmatch(service):
        return f"--service {service}"
    return program if _PLAIN_WORD.fullmatch(program) else None


def _paths(count: int) -> str:
    return "1 path" if count == 1 else f"{count:,} paths"


def _home_as_tilde(path: str) -> str:
    home = os.environ.get("HOME", "").rstrip("/")
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path


def say(text: str) -> None:
    """Say something on stderr, which the traced program may be using as well."""
    # One write, so that lines do not mix.
    sys.stderr.write(f"imptrace: {text}\n")
