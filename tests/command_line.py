"""The form in which tests talk to the command line."""

from collections.abc import Callable
from typing import NamedTuple


class Answer(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


Ask = Callable[..., Answer]
