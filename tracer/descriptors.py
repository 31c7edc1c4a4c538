"""The three standard descriptors, of which a program may have been started with fewer.

What is opened first would get their numbers. So they are filled with /dev/null before anything
else is, and the program that is recorded finds them closed, as it would have untraced.
"""

import os
import sys

STANDARD = 3
_filled: set[int] = set()


def fill() -> None:
    """Open what is closed. To be called first of all."""
    for fd in range(STANDARD):
        try:
            os.fstat(fd)
        except OSError:
            got = os.open("/dev/null", os.O_RDWR)  # the lowest number that is free
            if got != fd:
                os.dup2(got, fd)
                os.close(got)
            _filled.add(fd)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (for as long as we are)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (as above)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (as above)


def closed() -> tuple[int, ...]:
    """Tell which of the three the program is to find closed."""
    return tuple(sorted(_filled))
