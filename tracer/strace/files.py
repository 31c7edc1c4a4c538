"""Reading the files that strace wrote: in blocks, several as one log, and only if they are logs."""

import heapq
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from imptrace.tracer.events import Event
from imptrace.tracer.strace.dress import dress_of
from imptrace.tracer.strace.log import StraceLog
from imptrace.tracer.strace.packed import head_of, is_packed, unpacked
from imptrace.tracer.strace.prefixes import is_strace_line

_BLOCK: Final = 1 << 18
_LONGEST_LINE: Final = 1 << 23
"""What follows in a longer line is left out. The arguments of an exec may be 2 MiB (ARG_MAX), and
-xx writes each byte of them as four; beyond that it can only be the data of a read or write."""
HEAD_SIZE: Final = 1 << 16
"""Bytes from the beginning of a file that tell what it is."""
_SAMPLE: Final = 100
_SMALL_BLOCK: Final = 1 << 14
"""For each of many files."""
_BATCH: Final = 5_000
_STAMP: Final = re.compile(rb"(?:\d\d:\d\d:\d\d(?:\.\d+)?|\d{8,}(?:\.\d+)?)(?= )")
_LONGEST_STAMP: Final = 64
_NAME_OF_PROCESS: Final = re.compile(r"(.+)\.(\d{1,7})")

Progress = Callable[[int], None]
"""Told how many bytes were read since it was told last."""


def is_strace_log(path: Path) -> bool:
    """Whether a file is a log written by strace. Raises OSError where it cannot be read."""
    head = head_of(path, HEAD_SIZE)
    lines = dress_of(head).off(head)[: _SAMPLE + 1]
    return any(map(is_strace_line, lines if len(lines) == 1 else lines[:-1]))


def process_of(path: Path) -> int | None:
    """Return the thread id in the name of a file that `strace -ff` wrote."""
    match = _NAME_OF_PROCESS.fullmatch(path.name)
    return int(match[2]) if match else None


def one_log_each(paths: Sequence[Path]) -> list[list[Path]]:
    """Part files into logs: those of one `strace -ff` belong together."""
    logs: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        match = _NAME_OF_PROCESS.fullmatch(path.name)
        logs[path.with_name(match[1]) if match else path].append(path)
    return list(logs.values())


def read_log(paths: Sequence[Path], log: StraceLog, progress: Progress) -> Iterator[list[Event]]:
    """Read one log: a file, or the files of one `strace -ff`. Yields events in batches.

    Raises OSError where a file cannot be read.
    """
    if len(paths) == 1:
        fed = _feed_one(_LogLines(paths[0], progress), log)
    elif all(map(_first_stamp, paths)):
        fed = _feed_by_time([_LogLines(path, progress, _SMALL_BLOCK) for path in paths], log)
    else:
        fed = _feed_by_birth([_LogLines(path, progress, _SMALL_BLOCK) for path in paths], log)
    for _ in fed:
        if log.pending >= _BATCH:
            yield log.take()
    log.finish()
    yield log.take()


class _LogLines:
    """The lines of a file, block by block; no descriptor stays open between two blocks."""

    def __init__(self, path: Path, progress: Progress, block: int = _BLOCK) -> None:
        self.path = path
        self.tid = process_of(path)
        self.count = 0
        """Lines handed on."""
        self._progress = progress
        self._block = block

    def feed(self, lines: Sequence[bytes], log: StraceLog) -> None:
        """Feed some of the lines, which are the next that were not fed."""
        log.file, log.lines = self.path.name, self.count
        log.feed(lines, self.tid)
        self.count += len(lines)

    def blocks(self) -> Iterator[list[bytes]]:
        """Read the file."""
        dress = dress_of(head_of(self.path, HEAD_SIZE))
        rest, skipping = b"", False
        for block in map(dress.lines_end, self._read()):
            text = block
            if skipping:
                newline = block.find(b"\n")
                if newline < 0:
                    continue
                text, skipping = block[newline:], False
            whole, newline_there, rest = (rest + text).rpartition(b"\n")
            if len(rest) > _LONGEST_LINE:
                rest, skipping = rest[:_LONGEST_LINE], True
            yield dress.off(whole + newline_there)[:-1] if newline_there else []
        if rest:
            yield dress.off(rest)

    def _read(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            start = file.read(80)
        if is_packed(start):
            for block in unpacked(self.path, self._block):
                self._progress(len(block))
                yield block
            return
        position = 0
        while True:
            with self.path.open("rb") as file:
                file.seek(position)
                block = file.read(self._block)
            if not block:
                return
            position += len(block)
            self._progress(len(block))
            yield block


def _feed_one(lines: _LogLines, log: StraceLog) -> Iterator[None]:
    for block in lines.blocks():
        lines.feed(block, log)
        yield


def _stamp(line: bytes) -> bytes | None:
    match = _STAMP.match(line)
    return match[0] if match else None


def _first_stamp(path: Path) -> bytes | None:
    """Return the time of the first line of a file, which sorts as it is written."""
    with path.open("rb") as file:
        return _stamp(file.read(_LONGEST_STAMP))


def _feed_by_time(files: Sequence[_LogLines], log: StraceLog) -> Iterator[None]:
    """Feed the files of threads in the order of their lines' times, a run of lines at a time."""
    waiting = [(_first_stamp(file.path) or b"", number) for number, file in enumerate(files)]
    heapq.heapify(waiting)
    started: dict[int, tuple[Iterator[list[bytes]], list[bytes]]] = {}
    while waiting:
        stamp, number = heapq.heappop(waiting)
        blocks, lines = started.pop(number) if number in started else (files[number].blocks(), [])
        limit = waiting[0][0] if waiting else None
        while lines := lines or next(blocks, []):
            end = _run_length(lines, limit)
            files[number].feed(lines[:end], log)
            yield
            lines = lines[end:]
            if lines:
                heapq.heappush(waiting, (_stamp(lines[0]) or stamp, number))
                started[number] = blocks, lines
                break


def _run_length(lines: Sequence[bytes], limit: bytes | None) -> int:
    """Count the lines that come before `limit`, at least one."""
    if limit is None:
        return len(lines)
    later = (
        position
        for position, line in enumerate(lines)
        if position and (stamp := _stamp(line)) and stamp > limit
    )
    return next(later, len(lines))


def _feed_by_birth(files: Sequence[_LogLines], log: StraceLog) -> Iterator[None]:
    """Feed files without times: a child's lines right behind the call that made it."""
    unread = {file.tid: file for file in sorted(files, key=lambda file: file.tid or 0)}
    while unread:
        reading = [_one_by_one(unread.pop(next(iter(unread))), log)]
        while reading:
            if next(reading[-1], None) is None:
                reading.pop()
            reading.extend(
                _one_by_one(unread.pop(child), log) for child in log.spawned if child in unread
            )
            log.spawned.clear()
            yield


def _one_by_one(file: _LogLines, log: StraceLog) -> Iterator[bool]:
    for block in file.blocks():
        for line in block:
            file.feed((line,), log)
            yield True
