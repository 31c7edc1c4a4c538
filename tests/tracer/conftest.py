"""Programs recorded for real, in a database of each test; those that run already, too."""

from attaching import by, started
from recorded_programs import compiled, open_work, record, work

__all__ = ["by", "compiled", "open_work", "record", "started", "work"]
