"""What was asked of `imptrace run`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from imptrace.tracer.recorder import AUTO


class Wait(StrEnum):
    """What `run` waits for."""

    NONE = "none"
    CHILDREN = "children"


class Wish(NamedTuple):
    """The options of `imptrace run`, each explained in imptrace.cli.run."""

    command: Sequence[str]
    database: str | None = None
    label: str | None = None
    service: str | None = None
    user: str | None = None
    keep_env: Sequence[str] = ()
    writes_only: bool = False
    stats: bool = False
    io_uring: bool = False
    wait: Wait = Wait.NONE
    recorder: str = AUTO
    quiet: bool = False
