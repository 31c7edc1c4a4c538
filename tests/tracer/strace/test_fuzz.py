"""Hostile logs: whatever the lines are, no exception, no hang, nothing that cannot be stored."""

import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from fuzzing import budget
from hypothesis import given
from hypothesis import strategies as st
from reading import read_files, told

from imptrace.tracer.events import Access, Event, ProcessStarted
from imptrace.tracer.strace import state as strace_state
from imptrace.tracer.strace import tasks as strace_tasks
from imptrace.tracer.strace.dress import dress_of
from imptrace.tracer.strace.lines import (
    first_part,
    parse_call,
    parse_descriptor,
    parse_line,
    parse_text,
    parse_texts,
    split_interruption,
)
from imptrace.tracer.strace.log import StraceLog
from imptrace.tracer.syscalls import SYSCALLS

if TYPE_CHECKING:
    from pathlib import Path

ROOMY = budget(150)

_bits = st.sampled_from(
    [
        b'"',
        b"\\",
        b"/",
        b", ",
        b"(",
        b")",
        b"[",
        b"{",
        b"}",
        b"]",
        b"<",
        b">",
        b" = ",
        b"...",
        b"-1 ENOENT (No such file or directory)",
        b" <unfinished ...>",
        b"<... openat resumed>",
        b"strace: Process 12 attached",
        b"+++ exited with 0 +++",
        b"+++ killed by SIGRT_40 (core dumped) +++",
        b"+++ superseded by execve in pid 8 +++",
        b"AT_FDCWD",
        b"</proc/self/fd/3>",
        b"(deleted)",
        b"O_RDWR|O_CREAT|O_TMPFILE",
        b"CLONE_THREAD|CLONE_FILES",
        b"\\377\\0",
        b"\\x",
        b"[pid 99999] ",
        b"12:00:00.5 ",
        b"1 ",
        b"99999999999999999999",
        b"\n",
        b"\r",
        b"\0",
    ]
)
_names = st.sampled_from(
    [*sorted(SYSCALLS), "clone", "vfork", "chdir", "fcntl", "close", "read", "mount", "unshare"]
)
_numbers = st.integers(-(2**70), 2**70).map(lambda number: str(number).encode())
_strings = st.binary(max_size=20).map(
    lambda value: b'"' + b"".join(b"\\x%02x" % byte for byte in value) + b'"'
)
_arguments = st.lists(
    st.one_of(_strings, _numbers, _bits, st.just(b"AT_FDCWD</a>"), st.just(b"3</b>(deleted)")),
    max_size=7,
).map(b", ".join)
_results = st.one_of(
    _numbers, st.sampled_from([b"?", b"0", b"3</x>", b"-1 EINVAL (x)", b"? ERESTARTSYS (y)", b""])
)
_calls = st.builds(
    lambda pid, name, arguments, end, result: (
        b"%d " % pid + name.encode() + b"(" + arguments + end + result
    ),
    st.integers(1, 6),
    _names,
    _arguments,
    st.sampled_from([b") = ", b")     = ", b" <unfinished ...>", b""]),
    _results,
)
_resumed = st.builds(
    lambda pid, name, rest: b"%d <... " % pid + name.encode() + b" resumed>" + rest + b") = 7",
    st.integers(1, 6),
    _names,
    _arguments,
)
_ends = st.builds(lambda pid, end: b"%d " % pid + end, st.integers(1, 9), _bits)
_lines = st.one_of(_calls, _resumed, _ends, st.lists(_bits, max_size=12).map(b"".join), st.binary())


def _check(events: list[Event]) -> None:
    """Events keep the promises of the model, so that they can be stored and shown."""
    started = set()
    for event in events:
        if isinstance(event, ProcessStarted):
            started.add(event.process)
            assert event.parent is None or event.parent in started
        elif isinstance(event, Access):
            assert event.process in started
            assert event.path.startswith(b"/")
            assert b"\0" not in event.path + (event.path2 or b"")
            assert event.at >= 0
            assert event.count >= 1


@ROOMY
@given(st.lists(st.one_of(_bits, st.binary(max_size=30))).map(b"".join))
def test_the_lexer_takes_any_bytes(line: bytes) -> None:
    """Every function of the lexer answers or says None."""
    for function in (parse_line, parse_call, first_part, split_interruption):
        function(line)
    for function in (parse_text, parse_texts, parse_descriptor):
        function(line)
    dress_of(line).off(line)


@ROOMY
@given(st.lists(_lines, max_size=40), st.booleans())
def test_the_reader_takes_any_lines(lines: list[bytes], stats: bool) -> None:
    """Lines that look like those of strace, in any order, with any arguments."""
    _check(told(b"\n".join(lines), stats=stats, cwd=b"/w"))


SAMPLE = b"""\
7 execve("/bin/x", ["x"], 0x7ffc /* 3 vars */) = 0
7 openat(AT_FDCWD</w>, "d/f", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</w/d/f>
7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
8 rename("/w/d", "/w/e") = 0
7 <... clone resumed>, child_tidptr=0x7f) = 8
8 openat2(3, "q", {flags=O_RDONLY|O_CREAT, mode=0600, resolve=0}, 24) = 4
8 symlink("/w/e", "/l" <unfinished ...>
7 linkat(AT_FDCWD, "/proc/self/fd/3", AT_FDCWD, "/y", AT_SYMLINK_FOLLOW) = 0
8 <... symlink resumed>) = 0
8 unshare(CLONE_NEWNS) = 0
8 mount("/w", "/m", NULL, MS_BIND|MS_REC, NULL) = 0
8 unlink("/m/../l/./e") = -1 ENOENT (No such file or directory)
8 pivot_root(".", "old") = 0
8 fchmod(3</w/d/f>(deleted), 0600) = 0
8 bind(7<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="/tmp/s"}, 110) = 0
8 +++ killed by SIGKILL +++
7 exit_group(0) = ?
7 +++ exited with 0 +++
"""


@ROOMY
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SAMPLE)), st.integers(0, 9), st.one_of(_bits, st.binary(max_size=4))
        ),
        max_size=8,
    )
)
def test_the_reader_takes_damaged_logs(damages: list[tuple[int, int, bytes]]) -> None:
    """Bytes of a good log cut out and others put in."""
    log = SAMPLE
    for position, length, instead in damages:
        log = log[:position] + instead + log[position + length :]
    _check(told(log, stats=True))


@budget(40)
@given(st.lists(st.lists(_lines, max_size=6), min_size=1, max_size=4), st.booleans())
def test_files_of_any_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[list[bytes]],
    stamped: bool,
) -> None:
    """One file or one for each thread, with and without times, whatever is in them."""
    directory = tmp_path_factory.mktemp("logs")
    paths: list[Path] = []
    for number, lines in enumerate(files, start=1):
        paths.append(directory / f"log.{number}")
        stamp = b"1700000000.00000%d " % number if stamped else b""
        paths[-1].write_bytes(stamp + (b"\n" + stamp).join(lines))
    _, events = read_files(paths, cwd=b"/w")
    _check(events)


@pytest.mark.parametrize(
    "line",
    [
        b" " * 200_000,
        b"1" + b" " * 200_000 + b"x",
        b"[pid" + b" " * 200_000,
        b"1 openat(" + b"(" * 200_000,
        b"1 openat(" + b"[{(" * 60_000 + b'"',
        b"1 openat(" + b'"' * 200_000,
        b"1 openat(" + b'"\\' * 100_000,
        b"1 openat(" + b"<" * 200_000,
        b"1 openat(" + b"->" * 100_000,
        b"1 openat(" + b", " * 100_000 + b") = 3",
        b"1 openat(" + b'"a", ' * 40_000,
        b"1 openat(" + b"=" * 200_000,
        b"1 openat(A" + b"|A" * 100_000 + b', "x", 0) = 3',
        b'1 bind(3, {sun_path="' + b'sun_path=\\"' * 20_000 + b'"}, 3) = 0',
        b"1 newfstatat(3<" + b">(deleted)" * 20_000 + b', "x", {}, 0) = 0',
        b'1 openat(AT_FDCWD, "/' + b"a/../" * 40_000 + b'", O_RDONLY) = 3',
        b'1 openat(AT_FDCWD, "/' + b"\\377" * 40_000 + b'", O_RDONLY) = 3',
        b"1 clone(" + b"flags=" * 30_000 + b") = 2",
        b"1 execve(" + b'"x", [' + b'"y", ' * 40_000 + b'"z"], NULL) = 0',
        b"strace: Process " * 20_000 + b"strace: Process 1 attached",
    ],
)
def test_no_line_takes_long(line: bytes) -> None:
    """The time grows with the length of a line, not with its square: that would be hours."""
    begun = time.process_time()
    told(b"\n".join([line] * 3))
    assert time.process_time() - begun < 20


def test_memory_does_not_grow_with_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that never end, children that never speak, paths that never return are forgotten."""
    monkeypatch.setattr(strace_state, "_KNOWN_LIMIT", 500)
    monkeypatch.setattr(strace_tasks, "_BIRTH_LIMIT", 100)
    monkeypatch.setattr(strace_tasks, "_LEAVING_LIMIT", 100)
    monkeypatch.setattr(strace_tasks, "_ALIVE_LIMIT", 400)
    log = StraceLog(cwd=b"/")

    def feed(start: int) -> None:
        for number in range(start, start + 2_000):
            pid = 10 + number
            lines = [
                b'%d openat(AT_FDCWD, "/f%d", O_RDONLY) = 3' % (pid, number),
                b"%d clone(flags=SIGCHLD) = %d" % (pid, pid + 3_000_000),
                b'%d newfstatat(AT_FDCWD, "/s%d", {st_size=1}, 0) = 0' % (pid, number),
                b"%d exit_group(0) = ?" % pid if number % 3 else b"%d getpid( <unfinished ...>",
            ]
            log.feed(lines)
        log.take()

    feed(0)
    tracemalloc.start()
    feed(2_000)
    feed(4_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 1_500_000
