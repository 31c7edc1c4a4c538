"""What `lost` answers with."""

from collections.abc import Mapping
from dataclasses import dataclass

from imptrace.facts.levels import Level
from imptrace.kept.leaks.model import Leak


@dataclass(frozen=True, slots=True, kw_only=True)
class LostItem:
    """A directory or file of which something is gone."""

    leak: Leak
    """As it was in the old root."""
    missing: int
    """Files that are not there any more."""
    older: int
    """Files of which an older one stands there now."""
    size: int
    """Bytes of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostAnswer:
    """All that a wipe took and nobody brought back."""

    source: str
    """`old-root` or `list`."""
    place: str
    lost: tuple[LostItem, ...]
    """By care, then size."""
    counts: Mapping[str, int]
    left_out: tuple[bytes, ...] = ()
    """Subvolumes of which the old root, a snapshot, has nothing: what was in them is not known."""

    @property
    def matters(self) -> bool:
        """Whether something important or secret is gone."""
        return any(each.leak.level >= Level.IMPORTANT for each in self.lost)
