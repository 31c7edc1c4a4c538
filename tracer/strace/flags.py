"""Flags as strace writes them (`O_RDWR|O_CREAT`, `0x42 /* O_RDWR|O_CREAT */`), as numbers."""

import os
from functools import lru_cache
from typing import Final

from imptrace.tracer import syscalls

# include/uapi/linux/mount.h
MS_REMOUNT: Final = 0x20
MS_BIND: Final = 0x1000
MS_MOVE: Final = 0x2000
MS_UNBINDABLE: Final = 0x20000
MS_PRIVATE: Final = 0x40000
MS_SLAVE: Final = 0x80000
MS_SHARED: Final = 0x100000

_NAMES: Final[dict[str, int]] = {
    **{name: value for name, value in vars(os).items() if name.startswith("O_")},
    **{
        name: value
        for module in (vars(syscalls), globals())
        for name, value in module.items()
        if name.startswith(("AT_", "CLONE_", "RENAME_", "MS_"))
    },
    "FD_CLOEXEC": os.O_CLOEXEC,
}


@lru_cache(maxsize=4096)
def flags_value(text: bytes | None) -> int:
    """Add up flags. A name that is not known here counts as 0: none of those matters to a path."""
    if not text:
        return 0
    value = 0
    for word in text.partition(b" ")[0].decode("ascii", "replace").split("|"):
        value |= _NAMES[word] if word in _NAMES else _number(word)
    return value


def _number(word: str) -> int:
    try:
        # strace writes octal for modes and hexadecimal for flags; both with their prefix.
        return int(word, 16 if word.startswith("0x") else 8 if word.startswith("0") else 10)
    except ValueError:
        return 0
