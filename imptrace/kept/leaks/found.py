"""What a walk comes back with: pieces, and what was set aside."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from imptrace.facts.levels import Kind, Level
from imptrace.judge.codes import Code
from imptrace.judge.known import Known
from imptrace.judge.model import Reason
from imptrace.judge.places import Area
from imptrace.kept.leaks.model import LEFT_OUT, LeakPiece, SetAsidePath


class Raised(NamedTuple):
    """A file that needs more care than the piece that it is in, or that is in none."""

    path: bytes
    level: Level
    reasons: tuple[Reason, ...]
    size: int
    mtime_ns: int
    uid: int
    gid: int

    def into(self, piece: LeakPiece) -> None:
        """Count it as part of a piece."""
        piece.add(self.size, self.mtime_ns, self.uid, self.gid)


class Found:
    """Collects what a walk finds."""

    def __init__(self, *, detailed: bool = False) -> None:
        self.pieces: list[LeakPiece] = []
        self.counts: Counter[str] = Counter()
        self.set_aside: list[SetAsidePath] = []
        self.left_out: list[bytes] = []
        self._detailed = detailed

    def leave(self, path: bytes, why: str, count: int = 1) -> None:
        """Set a path aside, or `count` of them in a directory."""
        self.counts[why] += count
        if why == LEFT_OUT:
            self.left_out.append(path)
        if self._detailed:
            self.set_aside.append(SetAsidePath(path=path, why=why))

    def begin(self, piece: LeakPiece) -> LeakPiece:
        """Take a new piece in."""
        self.pieces.append(piece)
        return piece

    def begin_known(
        self, path: bytes, kind: Kind, level: Level, area: Area, known: Known
    ) -> LeakPiece:
        """Begin what the catalogue has a line for."""
        figures = {"entry": known.entry.title}
        piece = LeakPiece(
            path=path,
            kind=kind,
            level=level,
            area=area,
            reasons=[Reason(code=Code.CATALOGUED, figures=figures)],
            known=known,
            is_cache=level is Level.TRANSIENT,
        )
        # What must not be kept is counted where it is, and is no answer.
        return piece if known.never is not None else self.begin(piece)

    def begin_raised(self, raised: Sequence[Raised], path: bytes, area: Area) -> LeakPiece:
        """Begin a piece for files that stand out: a file, or the directory that holds them."""
        most = max(raised, key=lambda each: each.level)
        kind = Kind.FILE if path == most.path else Kind.DIRECTORY
        piece = LeakPiece(
            path=path, kind=kind, level=most.level, area=area, reasons=[*most.reasons]
        )
        for each in raised:
            each.into(piece)
        return self.begin(piece)
