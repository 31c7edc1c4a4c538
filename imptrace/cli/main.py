"""The command `imptrace`.

A program that is to be recorded should not wait for the command line to be taken apart: typer
takes a tenth of a second to import, more than all the rest. So a plain `imptrace run` is understood
without it, and everything else is left to it, mistakes and --help included.
"""

import contextlib
import gc
import os
import signal
import sys
from typing import NoReturn

from imptrace.tracer import descriptors


def main() -> None:
    """Run the command line and exit. Exit codes: see imptrace.errors."""
    # A search for garbage among what is being imported finds none, and takes a sixth of the time.
    gc.disable()
    descriptors.fill()
    from imptrace.cli.run_line import plain_wish

    wish = plain_wish(sys.argv[1:])
    if wish is None:
        from imptrace.cli import app

        app.main()
    else:
        from imptrace.cli.messages import exit_code_of
        from imptrace.cli.record import record

        def recorded() -> object:
            # Not before: only below exit_code_of is Ctrl-C no traceback.
            if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            return record(wish)

        gc.enable()
        _leave(exit_code_of(recorded))


def _leave(code: int) -> NoReturn:
    """End at once: to free what a recording has held, piece by piece, takes up to a second."""
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
