"""Starting a program under the first recorder that works."""

from typing import NamedTuple

from imptrace.tracer.program import Program
from imptrace.tracer.recorder import (
    Launched,
    RecorderOptions,
    RecorderUnavailableError,
    launchers,
)


class Start(NamedTuple):
    """A program that was started."""

    recorder: Launched
    notes: tuple[str, ...]
    """Why recorders that would have come first were passed by."""


def launch(
    name: str, program: Program, options: RecorderOptions, blocked_signals: list[int]
) -> Start:
    """Start a program under the recorder `name`, or AUTO. Raises ImptraceError."""
    candidates = list(launchers(name))
    notes: list[str] = []
    for info, following in zip(candidates, [*candidates[1:], None], strict=True):
        try:
            return Start(info.launch(program, options, blocked_signals), tuple(notes))
        except RecorderUnavailableError as error:
            if following is None:
                raise
            notes.append(f"{error}; recording with {following.name} instead, which is slower")
    raise RecorderUnavailableError("no recorder works here; see: imptrace doctor")
