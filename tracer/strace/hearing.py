"""Whether a log tells where relative paths begin: strace may have been asked for some calls only.

`strace -e trace=openat`, `-P PATH` and `-Z` leave out the chdir that came between, and nothing in
the log says so. What else it tells does.
"""

from typing import Final

MOVES: Final = frozenset({b"chdir", b"fchdir"})
_OF_NO_PATH: Final = frozenset(
    {
        *(b"brk", b"munmap", b"mprotect", b"madvise", b"futex", b"uname", b"sysinfo"),
        *(b"rt_sigaction", b"rt_sigprocmask", b"sigaction", b"sigprocmask", b"nanosleep"),
        *(b"clock_gettime", b"clock_nanosleep", b"gettimeofday", b"getrandom", b"prlimit64"),
        *(b"getuid", b"getuid32", b"getpid", b"getppid", b"gettid", b"sched_yield", b"umask"),
    }
)
"""Calls that belong to no class of strace's that has paths or processes, and name no descriptor."""
_ASKING: Final = frozenset(
    {
        *(b"access", b"faccessat", b"faccessat2", b"stat", b"stat64", b"lstat", b"lstat64"),
        *(b"newfstatat", b"fstatat64", b"statx", b"readlink", b"readlinkat", b"statfs"),
    }
)
"""Calls of the class %file that every start of a program makes, besides opens."""
_LOADER: Final = (b"/ld.so.cache", b".so", b"/ld-musl-")


class Hearing:
    """What a log was heard to tell."""

    def __init__(self) -> None:
        self.moves = False
        """Surely changes of the working directory."""
        self._executes = self._asks = self._loads = False

    @property
    def tells_directories(self) -> bool:
        """Whether a relative path may be put below the directory that was heard of last.

        Where a program was seen to start, only its loader's opens give a filter away.
        """
        return self.moves or (self._executes and (self._asks or not self._loads))

    def call(self, name: bytes, rest: bytes) -> None:
        """Take in a call, whose `rest` is what stands behind its name."""
        if name in _ASKING:
            self._asks = True
        elif name in _OF_NO_PATH or name in MOVES:
            self.moves = self.moves or (b") " in rest and not _has_failed(rest))
        elif name.startswith(b"exec"):
            self._executes = self._executes or not _has_failed(rest)
        elif not self._loads and name.startswith(b"open"):
            self._loads = any(word in rest for word in _LOADER)


def _has_failed(rest: bytes) -> bool:
    """Whether a call did not succeed; `strace -Z` shows those alone."""
    return b" = -1 " in rest or b" = ?" in rest
