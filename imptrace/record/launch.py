"""Beginning to record with the first recorder that works."""

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from imptrace.tracer.program import Program
from imptrace.tracer.recorder import (
    Launched,
    Recorder,
    RecorderInfo,
    RecorderOptions,
    RecorderUnavailableError,
    launchers,
)

R = TypeVar("R", bound=Recorder)


class Begun(NamedTuple, Generic[R]):
    """A recording that has begun."""

    recorder: R
    notes: tuple[str, ...]
    """Why recorders that would have come first were passed by."""


def launch(
    name: str, program: Program, options: RecorderOptions, blocked_signals: list[int]
) -> Begun[Launched]:
    """Start a program under the recorder `name`, or AUTO. Raises ImptraceError."""
    return first_that_works(
        launchers(name), lambda info: info.launch(program, options, blocked_signals)
    )


def first_that_works(infos: Iterable[RecorderInfo], begin: Callable[[RecorderInfo], R]) -> Begun[R]:
    """Begin with one after the other until one is available. Raises ImptraceError."""
    candidates = list(infos)
    notes: list[str] = []
    for info, following in zip(candidates, [*candidates[1:], None], strict=True):
        try:
            return Begun(begin(info), tuple(notes))
        except RecorderUnavailableError as error:
            if following is None:
                raise
            notes.append(f"{error}; recording with {following.name} instead, which is slower")
    raise RecorderUnavailableError("no recorder works here; see: imptrace doctor")
