"""The files of one directory: set aside, taken in with others, or standing out."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from stat import S_IFMT, S_IFREG, S_ISLNK
from typing import NamedTuple

from imptrace.facts.content import CLUES, Hint, hint_of
from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import name_of, parent_of
from imptrace.judge.model import Reason, Why
from imptrace.judge.path_facts import PathFacts
from imptrace.judge.places import Area
from imptrace.judge.words import NOTABLE
from imptrace.kept.leaks import rules
from imptrace.kept.leaks.found import Found, Raised
from imptrace.kept.leaks.ground import Ground, Map, is_top
from imptrace.kept.leaks.lines import Nodes, below, line_at, named
from imptrace.kept.leaks.model import BOOT, IGNORED, SWAP, LeakPiece
from imptrace.kept.walk import Files
from imptrace.tracer.snapshot import look

_SWAP = b"swap"
_WORDS = frozenset(word.encode() for word in NOTABLE) | {b"goutputstream", _SWAP, b"swapfile"}
_LOOKED_IN_DIRECTORY = 64
_LOOKED_IN_PIECE = 200
_LOOKED = 20_000
"""Files whose first bytes are read: most of a kind lie together, and the user waits."""
_SWAP_MARK = b"SWAPSPACE2"
_SWAP_MARK_AT = os.sysconf("SC_PAGE_SIZE") - len(_SWAP_MARK)
_KEYS = frozenset({Hint.PRIVATE_KEY, Hint.KEYRING})
_SYSTEM = (b"/etc", b"/var", b"/opt", b"/srv")
_OF_PACKAGES = (b"/usr/", b"/lib/", b"/bin/", b"/sbin/", b"/dev/null", b"/etc/alternatives/")


class Frame(NamedTuple):
    """A directory to be read."""

    path: bytes
    piece: LeakPiece | None
    """What its files belong to; None where each is judged alone."""
    is_private: bool
    nodes: Nodes
    """What the catalogue knows of it and below it."""

    def inside(self, name: bytes) -> bytes:
        """Name an entry of it."""
        return self.path.rstrip(b"/") + b"/" + name


class FileCourt:
    """Judges the files of one directory after the other."""

    def __init__(self, ground: Ground, where: Map, found: Found) -> None:
        self._ground = ground
        self._map = where
        self._found = found
        self._looked = 0
        self._linked: set[tuple[int, int]] = set()
        self.began_ns = self.finished_ns = 0
        """When the boot began and was done that made what is there; 0 where none did."""

    def judge(self, frame: Frame, files: Files) -> list[Raised]:
        """Take in what a directory holds besides directories; answer what stands out."""
        live = self._live(frame, files)
        if not live:
            return []
        piece = frame.piece
        if piece is None:
            odd: set[int] | None = None
        elif piece.is_cache:
            odd = named(frame.nodes, files.names)
        else:
            odd = self._odd(frame, files)
        is_worth_it = odd is None or odd or _is_curious(piece)
        hints = self._hints(piece, frame, files, live) if is_worth_it else {}
        if piece is not None and not odd and not hints and odd is not None:
            self._add(piece, files, live)
            return []
        special = set(live) if odd is None else odd | hints.keys()
        raised = [
            each
            for index in live
            if index in special
            if (each := self._one(frame, files, index, hints.get(index))) is not None
        ]
        if piece is not None:
            self._add(piece, files, [index for index in live if index not in special])
        return raised

    def judge_alone(self, path: bytes, st: os.stat_result) -> list[Raised]:
        """Judge one file that was asked for by its own name."""
        frame = Frame(parent_of(path), None, is_private=False, nodes=())
        hint = self._hint(path) if S_IFMT(st.st_mode) == S_IFREG else None
        facts = rules.facts_of(
            mode=st.st_mode,
            size=st.st_size,
            uid=st.st_uid,
            gid=st.st_gid,
            hint=hint,
            link=self._link(path, st.st_mode),
        )
        why = self._why_not(path, facts, st.st_uid, st.st_mtime_ns, frame)
        if why is not None:
            self._found.leave(path, why)
            return []
        level, reasons = self._level(path, facts, frame)
        return [Raised(path, level, reasons, st.st_size, st.st_mtime_ns, st.st_uid, st.st_gid)]

    def _live(self, frame: Frame, files: Files) -> Sequence[int]:
        """Leave out what this boot made, or what its image had: the next one makes it too."""
        count = len(files.names)
        if not self.finished_ns or min(files.ctimes) > self.finished_ns:
            return range(count)
        live = [
            index
            for index, ctime in enumerate(files.ctimes)
            if ctime > self.finished_ns
            or self._is_of_service(frame, files, index)
            or self._is_new_key(frame, files, index)
        ]
        if len(live) < count:
            self._found.leave(frame.path, BOOT, count - len(live))
        return live

    def _is_of_service(self, frame: Frame, files: Files, index: int) -> bool:
        """Whether a service that was up wrote it: boots do not do that again."""
        known = frame.piece.known if frame.piece is not None else None
        if known is None or known.kept is None or known.kept.level is Level.TRANSIENT:
            return False
        is_roots = files.uids[index] == 0
        since = self._ground.served.since_ns(known.entry, is_roots=is_roots)
        return since is not None and files.ctimes[index] > since

    def _is_new_key(self, frame: Frame, files: Files, index: int) -> bool:
        """Whether this boot made a private key, which the next would make otherwise."""
        mode = files.modes[index]
        return (
            files.ctimes[index] > self.began_ns
            and S_IFMT(mode) == S_IFREG
            and rules.is_closed(mode)
            and self._hint(frame.inside(files.names[index])) == Hint.PRIVATE_KEY
        )

    def _odd(self, frame: Frame, files: Files) -> set[int] | None:
        """Find what is not one ordinary file among others; None: all of them may be."""
        if self._ground.installed.times_ns and frame.path.startswith(_SYSTEM):
            return None
        from imptrace.tracer import _scan  # noqa: PLC0415 (as in imptrace.kept.walk)

        names = files.names
        noted = _scan.notable(names, _WORDS)
        odd = {i for i in noted if _SWAP in names[i] or not rules.says_nothing(names[i])}
        if any(S_IFMT(mode) != S_IFREG for mode in set(files.modes)):
            odd |= {i for i, mode in enumerate(files.modes) if S_IFMT(mode) != S_IFREG}
        return odd | named(frame.nodes, names)

    def _hints(
        self, piece: LeakPiece | None, frame: Frame, files: Files, live: Iterable[int]
    ) -> dict[int, Hint]:
        """Look at the first bytes of some files: what only its owner may read comes first."""
        left = min(_LOOKED - self._looked, _LOOKED_IN_DIRECTORY)
        if piece is not None:
            left = 0 if piece.is_cache else min(left, _LOOKED_IN_PIECE - piece.looked)
        if left <= 0:
            return {}
        candidates = [i for i in live if S_IFMT(files.modes[i]) == S_IFREG and files.sizes[i]]
        candidates.sort(key=lambda index: not rules.is_closed(files.modes[index]))
        del candidates[left:]
        if piece is not None:
            piece.looked += len(candidates)
        self._looked += len(candidates)
        real = self._ground.tree.real
        sights = look([real(frame.inside(files.names[i])) for i in candidates], CLUES)
        return {
            index: hint
            for index, sight in zip(candidates, sights, strict=True)
            if not isinstance(sight, int) and sight[-1] and (hint := hint_of(sight[-1]))
        }

    def _one(self, frame: Frame, files: Files, index: int, hint: Hint | None) -> Raised | None:
        """Judge one file by itself: set aside, part of its piece, or more than that."""
        path, mode = frame.inside(files.names[index]), files.modes[index]
        uid, gid, mtime = files.uids[index], files.gids[index], files.mtimes[index]
        facts = rules.facts_of(
            mode=mode,
            size=files.sizes[index],
            uid=uid,
            gid=gid,
            hint=hint,
            link=self._link(path, mode),
        )
        why = self._why_not(path, facts, uid, mtime, frame)
        if why is not None:
            self._found.leave(path, why)
            return None
        size = self._size(files, index)
        level, reasons = self._level(path, facts, frame)
        raised = Raised(path, level, reasons, size, mtime, uid, gid)
        piece = frame.piece
        known = line_at(below(frame.nodes, files.names[index]), path)
        if known is not None and not (piece is not None and _says_as_much(piece, known.kept)):
            area = self._map.place_of(path).area
            by_line = self._map.base_level(path, self._map.place_of(path), known)
            piece = self._found.begin_known(path, Kind.FILE, by_line, area, known)
        if piece is None or (level > piece.level and _may_raise(piece, level, hint)):
            return raised
        raised.into(piece)
        return None

    def _level(
        self, path: bytes, facts: PathFacts, frame: Frame
    ) -> tuple[Level, tuple[Reason, ...]]:
        place = self._map.place_of(path)
        mode = facts.state.mode if facts.state else 0
        level, reasons = rules.level(
            path, facts, place, is_private=frame.is_private or rules.is_closed(mode)
        )
        if place.area is Area.LOG and level <= Level.NORMAL:
            level = self._map.base_level(path, place, self._map.known(path))
        return level, reasons

    def _why_not(
        self, path: bytes, facts: PathFacts, uid: int, mtime: int, frame: Frame
    ) -> str | None:
        """Why a file need not be kept; None if it is state."""
        ground, piece = self._ground, frame.piece
        known = line_at(below(frame.nodes, name_of(path)), path)
        if known is None and piece is not None:
            known = piece.known
        ruling = rules.set_aside(path, facts) or (self._map.ruling(path) if not piece else None)
        whys = {
            Why.PERSISTENT: path in ground.points,
            IGNORED: ground.is_ignored(path),
            Why.NEVER: known is not None and known.never is not None,
            BOOT: path in ground.tmpfiles or _is_made_link(path, facts),
        }
        for why, holds in whys.items():
            if holds:
                return why
        if ruling is not None:
            return ruling[0]
        if _SWAP in name_of(path) and self._is_swap(path):
            return SWAP
        is_packages = ground.installed.came_with_it(path, uid, mtime, ground.tree)
        is_packages = is_packages or _leads_to_package(path, facts)
        return Why.PACKAGE if is_packages or self._is_skeleton(path) else None

    def _is_skeleton(self, path: bytes) -> bool:
        """Whether it is what a new home begins with."""
        contents = self._ground.skeleton.get(name_of(path))
        if contents is None or not self._map.is_shared_out(parent_of(path)):
            return False
        with suppress(OSError), self._ground.tree.open_file(path) as file:
            return file.read(max(map(len, contents)) + 1) in contents
        return False

    def _is_swap(self, path: bytes) -> bool:
        """Whether a file was made by mkswap."""
        with suppress(OSError), self._ground.tree.open_file(path) as file:
            file.seek(_SWAP_MARK_AT)
            return file.read(len(_SWAP_MARK)) == _SWAP_MARK
        return False

    def _hint(self, path: bytes) -> Hint | None:
        (sight,) = look([self._ground.tree.real(path)], CLUES)
        return None if isinstance(sight, int) or not sight[-1] else hint_of(sight[-1])

    def _link(self, path: bytes, mode: int) -> bytes | None:
        with suppress(OSError):
            return os.readlink(self._ground.tree.real(path)) if S_ISLNK(mode) else None
        return None

    def _size(self, files: Files, index: int) -> int:
        if files.links[index] > 1 and not self._is_first(files, index):
            return 0
        return files.size(index)

    def _is_first(self, files: Files, index: int) -> bool:
        """Whether a file with several names was not counted under another."""
        key = (files.inodes[index], files.ctimes[index])
        is_first = key not in self._linked
        self._linked.add(key)
        return is_first

    def _add(self, piece: LeakPiece, files: Files, live: Sequence[int]) -> None:
        """Take many ordinary files in at once."""
        if not live:
            return
        if piece.known is not None and piece.known.never is not None:
            self._found.leave(piece.path, Why.NEVER, len(live))
            return
        is_whole = isinstance(live, range)
        is_plain = is_whole and sum(files.held) >= sum(files.sizes) and max(files.links) == 1
        size = sum(files.sizes) if is_plain else sum(self._size(files, index) for index in live)
        mtime = max(files.mtimes) if is_whole else max(files.mtimes[index] for index in live)
        piece.add(size, mtime, files.uids[live[0]], files.gids[live[0]])
        piece.files += len(live) - 1


def _is_curious(piece: LeakPiece | None) -> bool:
    """Whether too little of a piece was looked at yet to know what is in it."""
    return piece is None or (not piece.is_cache and piece.looked < _LOOKED_IN_PIECE)


def _says_as_much(piece: LeakPiece, kept: object) -> bool:
    """Whether a line about a file says nothing that the piece around it does not say."""
    return (
        kept is not None and piece.known is not None and piece.level is getattr(kept, "level", None)
    )


def _may_raise(piece: LeakPiece, level: Level, hint: Hint | None) -> bool:
    """Whether a file may say more than the piece that it is in: the catalogue knows better."""
    if piece.is_cache:
        return False
    return piece.known is None or (level is Level.SECRET and hint in _KEYS)


def _is_made_link(path: bytes, facts: PathFacts) -> bool:
    """Whether systemd links a DynamicUser's directory here, or the system its own at the top."""
    link = facts.link
    return link is not None and (link.startswith(b"private/") or is_top(path))


def _leads_to_package(path: bytes, facts: PathFacts) -> bool:
    """Whether it is a link to what packages bring, which whoever made it makes again."""
    link = facts.link
    if link is None or not path.startswith(b"/etc/"):
        return False
    target = os.path.normpath(os.path.join(parent_of(path), link))
    return target.startswith(_OF_PACKAGES)
