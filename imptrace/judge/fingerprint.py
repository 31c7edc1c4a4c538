"""What tells one advice from another: what was proven of one must not be said of the next."""

import hashlib
from collections.abc import Iterable

from imptrace.judge.model import Kind, Level, Method, Recommendation, Scope

Row = tuple[bytes, Kind, Method, Level | None, str | None, str | None, int | None]
"""What matters of one kept path: path, kind, method, level, user, group, mode."""


def fingerprint(rows: Iterable[Row]) -> str:
    """Give a short text that is equal for equal rows, in whatever order they come."""
    lines = sorted(
        b"\0".join([path, *(str(part).encode(errors="surrogateescape") for part in parts)])
        for path, *parts in rows
    )
    return hashlib.blake2b(b"\n".join(lines), digest_size=16).hexdigest()


def fingerprint_of(recommendations: Iterable[Recommendation]) -> str:
    """Give that of an advice: of what the subject owns."""
    return fingerprint(
        (each.path, each.kind, each.method, each.level, each.user, each.group, each.mode)
        for each in recommendations
        if each.scope is Scope.OWNED
    )
