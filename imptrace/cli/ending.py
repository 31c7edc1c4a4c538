"""How a command ends: what it raised becomes one line on stderr and an exit code."""

import os
import sys
from collections.abc import Callable

from imptrace.errors import ImptraceError

DEBUG = "IMPTRACE_DEBUG"
INTERNAL_ERROR = 125
INTERRUPTED = 130


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command, which returns its exit code or None. Exit codes: see imptrace.errors."""
    try:
        code = command()
        sys.stdout.flush()
    except ImptraceError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (the last resort: nobody is shown a traceback)
        return _internal_error(error)
    return code if isinstance(code, int) else 0


def _internal_error(error: Exception) -> int:
    if os.environ.get(DEBUG):
        # As slow as all else that a command needs to start.
        import traceback

        traceback.print_exc()
    return _complain(
        f"internal error: {type(error).__name__}: {error}; {DEBUG}=1 shows more", INTERNAL_ERROR
    )


def _complain(message: str, exit_code: int) -> int:
    from imptrace.render.text import printable

    # One write: the traced program may write to the same terminal.
    sys.stderr.write(f"imptrace: {printable(message)}\n")
    return exit_code
