"""Text of statements that take many values, and how many they take at once."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

CHUNK = 1000
"""Rows per call: enough to amortise it, few enough for any database's limit of variables."""


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def marks(values: Sequence[object]) -> str:
    """Write a placeholder for each value."""
    return ", ".join("?" * len(values))


def insert(table: str, columns: Sequence[str], on_conflict: str = "") -> str:
    """Write a statement; `columns` in the order in which each row has its values."""
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({marks(columns)}){on_conflict}"
