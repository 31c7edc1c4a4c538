"""The walk: from the top of a wiped file system to the pieces that matter in it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from errno import EACCES, EPERM
from stat import S_ISDIR

from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import is_within, name_of
from imptrace.judge.codes import Code
from imptrace.judge.known import Known
from imptrace.judge.lowering import cache_directory
from imptrace.judge.model import Reason, Why
from imptrace.judge.places import Area, Place
from imptrace.kept.btrfs import is_left_out, is_snapshot
from imptrace.kept.leaks import rules
from imptrace.kept.leaks.files import FileCourt, Frame
from imptrace.kept.leaks.found import Found, Raised
from imptrace.kept.leaks.ground import Ground, Map, in_etc, is_top
from imptrace.kept.leaks.lines import Nodes, below, lead_deeper, line_at
from imptrace.kept.leaks.model import IGNORED, LEFT_OUT, SNAPSHOT, UNREADABLE, LeakPiece
from imptrace.kept.walk import read

_MOST_SECRET_FILES = 3
_MOST_LOOSE_FILES = 50
"""Of nobody, right in a directory of many: more are one answer."""
_OF_DISKS = b"lost+found"


class Finder:
    """Walks one wiped file system after the other."""

    def __init__(self, ground: Ground, found: Found) -> None:
        self._ground = ground
        self._map = Map(ground)
        self._found = found
        self._court = FileCourt(ground, self._map, found)

    def walk(self, starts: Iterable[bytes], *, is_fresh: bool) -> None:
        """Look at what lies at `starts`, which are on one file system.

        `is_fresh`: it was empty, or as an image has it, when this boot began.
        """
        boot = self._ground.boot
        self._court.began_ns = boot.started_ns if is_fresh else 0
        self._court.finished_ns = boot.finished_ns if is_fresh else 0
        for start in starts:
            st = self._ground.tree.lstat(start)
            if st is None:
                continue
            nodes = self._ground.lines.nodes(start)
            if S_ISDIR(st.st_mode):
                self._run(self._entry(start, nodes, is_asked=True))
            else:
                frame = Frame(start.rpartition(b"/")[0] or b"/", None, is_private=False, nodes=())
                self._settle_alone(frame, self._court.judge_alone(start, st))

    def _run(self, first: Frame | None) -> None:
        waiting = [first] if first is not None else []
        while waiting:
            waiting.extend(self._directory(waiting.pop()))

    def _directory(self, frame: Frame) -> list[Frame]:
        """Read one directory; answer those in it that are to be read."""
        try:
            directory = self._ground.tree.open(frame.path)
        except OSError as error:
            if error.errno in (EACCES, EPERM):
                self._found.leave(frame.path, UNREADABLE)
            return []
        try:
            why = _why_not_entered(directory)
            if why is not None and frame.path != b"/":
                self._found.leave(frame.path, why)
                return []
            if frame.piece is not None and rules.is_closed(os.fstat(directory).st_mode):
                frame = frame._replace(is_private=True)
            return self._contents(directory, frame)
        except OSError:
            # Gone, or changed, while it was read.
            return []
        finally:
            os.close(directory)

    def _contents(self, directory: int, frame: Frame) -> list[Frame]:
        deeper: list[bytes] = []
        raised: list[Raised] = []
        for files in read(directory):
            deeper += files.directories
            frame = self._marked(frame, files.names)
            if files.names:
                raised += self._court.judge(frame, files)
        frame = self._settle(frame, raised) if frame.piece else self._settle_alone(frame, raised)
        frames = (self._below(frame, name) for name in deeper)
        return [each for each in frames if each is not None]

    def _below(self, frame: Frame, name: bytes) -> Frame | None:
        """Decide about a directory in one that was read."""
        path, nodes, piece = frame.inside(name), below(frame.nodes, name), frame.piece
        if path in self._ground.points:
            self._found.leave(path, Why.PERSISTENT)
            return None
        if piece is None:
            return self._entry(path, nodes)
        if self._ground.is_ignored(path):
            self._found.leave(path, IGNORED)
            return None
        known = line_at(nodes, path)
        if known is not None and not _is_same(piece, known):
            return self._known(path, known, piece.area, nodes)
        if not piece.is_cache:
            reason = cache_directory(path, piece.area, frozenset())
            if reason is None and rules.holds_copies(name):
                reason = Reason(code=Code.CACHE_WORD, figures={"word": name})
            if reason is not None:
                piece = self._cache(path, piece, reason)
            elif piece.known is None and not rules.says_nothing(name):
                piece = self._told_by_name(path, piece, is_private=frame.is_private)
        return Frame(path, piece, frame.is_private, nodes)

    def _told_by_name(self, path: bytes, piece: LeakPiece, *, is_private: bool) -> LeakPiece:
        """Give what lies in `saves` or `private-keys` the care that such a name asks for."""
        inside = path + b"/" + rules.SAYS_NOTHING
        level, reasons = rules.level(
            inside, rules.ORDINARY_FILE, self._map.place_of(inside), is_private=is_private
        )
        if level <= piece.level:
            return piece
        if level < Level.SECRET:
            piece.level, piece.reasons = level, [*reasons]
            return piece
        return self._found.begin(
            LeakPiece(
                path=path,
                kind=Kind.DIRECTORY,
                level=level,
                area=piece.area,
                reasons=[*reasons],
            )
        )

    def _marked(self, frame: Frame, names: list[bytes]) -> Frame:
        """Take note of a file that says that its directory can be made again."""
        piece = frame.piece
        mark = rules.mark_of_copies(names) if piece is not None and not piece.is_cache else None
        if piece is None or mark is None:
            return frame
        reason = Reason(code=Code.CACHE_TAG, figures={"path": frame.inside(mark)})
        if piece.path != frame.path:
            return frame._replace(piece=self._cache(frame.path, piece, reason))
        if piece.known is None:
            piece.level, piece.reasons, piece.is_cache = Level.TRANSIENT, [reason], True
        return frame

    def _cache(self, path: bytes, above: LeakPiece, reason: Reason) -> LeakPiece:
        return self._found.begin(
            LeakPiece(
                path=path,
                kind=Kind.DIRECTORY,
                level=Level.TRANSIENT,
                area=above.area,
                reasons=[reason],
                known=above.known,
                is_cache=True,
            )
        )

    def _entry(self, path: bytes, nodes: Nodes, *, is_asked: bool = False) -> Frame | None:
        """Decide about a directory that stands where each entry is judged alone."""
        why = None if is_asked else self._why_not(path)
        if why is not None:
            self._found.leave(path, why)
            return None
        if self._map.is_shared_out(path):
            return Frame(path, None, is_private=False, nodes=nodes)
        known, place = self._map.known(path), self._map.place_of(path)
        if known is not None:
            return self._known(path, known, place.area, nodes)
        if in_etc(path):
            return Frame(path, None, is_private=False, nodes=nodes)
        return Frame(path, self._own(path, place), is_private=False, nodes=nodes)

    def _why_not(self, path: bytes) -> str | None:
        """Why nothing in a directory need be kept, for where it is."""
        ruling = self._map.ruling(path)
        if ruling is not None:
            return ruling[0]
        if self._ground.is_ignored(path):
            return IGNORED
        is_of_disk = is_top(path) and name_of(path) == _OF_DISKS
        return Why.PACKAGE if is_of_disk or self._ground.installed.is_packages(path) else None

    def _own(self, path: bytes, place: Place) -> LeakPiece:
        """Begin what belongs to one program, as its place has it."""
        figures = {"area": place.area.value, "container": place.container}
        cache = cache_directory(path, place.area, frozenset())
        level = Level.TRANSIENT if cache else self._map.base_level(path, place, None)
        return self._found.begin(
            LeakPiece(
                path=path,
                kind=Kind.DIRECTORY,
                level=level,
                area=place.area,
                reasons=[cache or Reason(code=Code.PLACE, figures=figures)],
                is_cache=level is Level.TRANSIENT,
            )
        )

    def _known(self, path: bytes, known: Known, area: Area, nodes: Nodes) -> Frame | None:
        """Begin what the catalogue has a line for; what must not be kept may end here."""
        if known.never is not None and not lead_deeper(nodes):
            self._found.leave(path, Why.NEVER)
            return None
        level = self._map.base_level(path, self._map.place_of(path), known)
        piece = self._found.begin_known(path, Kind.DIRECTORY, level, area, known)
        return Frame(path, piece, is_private=False, nodes=nodes)

    def _settle(self, frame: Frame, raised: Sequence[Raised]) -> Frame:
        """Make pieces of the secrets in a directory; what else stands out raises its piece."""
        piece = frame.piece
        assert piece is not None  # noqa: S101 (the caller has looked)
        secrets = [each for each in raised if each.level is Level.SECRET]
        for each in raised:
            if each.level is not Level.SECRET:
                _raise(piece, each)
        if len(secrets) <= _MOST_SECRET_FILES:
            for each in secrets:
                self._found.begin_raised([each], each.path, piece.area)
            return frame
        if piece.path != frame.path:
            return frame._replace(piece=self._found.begin_raised(secrets, frame.path, piece.area))
        for each in secrets:
            _raise(piece, each)
        return frame

    def _settle_alone(self, frame: Frame, raised: Sequence[Raised]) -> Frame:
        """In /etc a directory that only holds state is one answer; elsewhere each file is."""
        if raised and in_etc(frame.path) and self._is_whole(frame.path, len(raised)):
            return frame._replace(piece=self._found.begin_raised(raised, frame.path, Area.ETC))
        for each in self._apart(frame, raised):
            known = self._map.known(each.path)
            piece = self._found.begin_raised([each], each.path, self._map.place_of(each.path).area)
            piece.known = known
            if known is not None and known.kept is not None and piece.area is not Area.LOG:
                piece.level = max(piece.level, known.kept.level)
        return frame

    def _apart(self, frame: Frame, raised: Sequence[Raised]) -> Sequence[Raised]:
        """Join many loose files of which nobody knows anything; answer with the others."""
        loose = [
            each
            for each in raised
            if each.level < Level.SECRET and self._map.known(each.path) is None
        ]
        if len(loose) <= _MOST_LOOSE_FILES or frame.path == b"/":
            return raised
        by_level: dict[bool, list[Raised]] = {}
        for each in loose:
            by_level.setdefault(each.level is Level.TRANSIENT, []).append(each)
        area = self._map.place_of(loose[0].path).area
        for group in by_level.values():
            self._found.begin_raised(group, frame.path, area)
        together = {each.path for each in loose}
        return [each for each in raised if each.path not in together]

    def _is_whole(self, directory: bytes, states: int) -> bool:
        """Whether nothing but state lies right in a directory."""
        if directory == b"/etc":
            return False
        with suppress(OSError):
            opened = self._ground.tree.open(directory)
            try:
                return len(os.listdir(opened)) <= states
            finally:
                os.close(opened)
        return False


def starts_in(root: bytes, wanted: Sequence[bytes]) -> Iterator[bytes]:
    """Name what to look at of a file system, if only some paths are asked for."""
    if not wanted:
        yield root
    for path in wanted:
        if is_within(path, root):
            yield path
        elif is_within(root, path):
            yield root


def _why_not_entered(directory: int) -> str | None:
    """Why nothing in an open directory is looked at."""
    if is_snapshot(directory):
        return SNAPSHOT
    return LEFT_OUT if is_left_out(directory) else None


def _is_same(piece: LeakPiece, known: Known) -> bool:
    """Whether a line about a directory says nothing that the piece around it does not say."""
    above = piece.known
    return (
        above is not None
        and known.kept is not None
        and above.entry is known.entry
        and piece.level is known.kept.level
    )


def _raise(piece: LeakPiece, by: Raised) -> None:
    by.into(piece)
    if by.level > piece.level:
        piece.level, piece.reasons = by.level, [*by.reasons]
