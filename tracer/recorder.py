"""What all recorders of running programs have in common: options, the ring, ways to fail."""

from dataclasses import dataclass
from typing import Protocol

from imptrace.errors import (
    ImptraceError,
    ProgramNotExecutableError,
    ProgramNotFoundError,
)
from imptrace.tracer.program import Program, shown

RING_SIZE = 8 << 20
"""Room for some 60,000 distinct accesses while nobody reads."""


class RecorderUnavailableError(ImptraceError):
    """A recorder does not work here: the kernel or a sandbox refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderOptions:
    """What is recorded, and what the program may do."""

    stats: bool = False
    """Also calls that only ask: stat, access, readlink."""
    writes_only: bool = False
    """Leave alone what cannot change a file: costs less, and shows no reads."""
    io_uring: bool = False
    """Let the program use io_uring, whose operations no recorder sees."""


class Recording(Protocol):
    """What a recorder of running programs gives."""

    name: str
    started_ns: int
    """Wall clock, nanoseconds since the epoch."""

    def read(self, timeout_ms: int) -> bytes:
        """Take what was recorded, as whole records for `wire.Decoder`; empty after the timeout."""

    def close(self) -> None:
        """Stop reading. What was traced goes on, unrecorded."""


def launch_failure(stage: str, error: OSError, program: Program, recorder: str) -> ImptraceError:
    """Say why a program could not be started.

    `stage` is how far it came: "filter" (the recorder was set up), "user", "exec", or another
    word for the time before.
    """
    name, reason = shown(program.path), error.strerror
    if stage == "exec" and isinstance(error, FileNotFoundError):
        return ProgramNotFoundError(f"{name}: its interpreter is not there")
    if stage == "exec":
        return ProgramNotExecutableError(f"{name}: {reason}")
    if stage == "filter":
        return RecorderUnavailableError(
            f"the kernel refuses the {recorder} recorder ({reason}); see: imptrace doctor"
        )
    if stage == "user":
        return ImptraceError(f"cannot become the user: {reason}")
    return ImptraceError(f"cannot start the recorder: {reason}")
