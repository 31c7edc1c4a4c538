"""Programs recorded for real, in a database of each test."""

from recorded_programs import compiled, open_work, record, work

__all__ = ["compiled", "open_work", "record", "work"]
