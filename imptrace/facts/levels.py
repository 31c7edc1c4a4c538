"""The words that catalogue, classifier and renderers share: level of care, and kind of path."""

from enum import Enum, StrEnum
from functools import total_ordering


@total_ordering
class Level(Enum):
    """How much care a path needs, in rising order; `value` is the word used everywhere."""

    TRANSIENT = "transient"
    """Regenerable: caches, logs that nobody reads back."""
    NORMAL = "normal"
    """Settings and data that can be recovered with tedium."""
    IMPORTANT = "important"
    """Databases and user data."""
    SECRET = "secret"  # noqa: S105 (the name of a level, not a password)
    """Keys, tokens, keyrings."""

    @property
    def rank(self) -> int:
        """0 for transient up to 3 for secret."""
        return _RANKS[self]

    def __lt__(self, other: object) -> bool:
        """Whether this level asks for less care than `other`."""
        if not isinstance(other, Level):
            return NotImplemented
        return self.rank < other.rank

    def __str__(self) -> str:
        return self.value


_RANKS = {level: rank for rank, level in enumerate(Level)}


class Kind(StrEnum):
    """What is to be kept: a directory with all below it, or one file."""

    DIRECTORY = "directory"
    FILE = "file"
