"""Logs of strace as people have them: through terminals, services, containers and editors."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from reading import changed, read_files

from imptrace.tracer.events import Access, AccessFlag, Op
from imptrace.tracer.strace.files import is_strace_log

LOG = b"""100 execve("/usr/bin/keeper", ["keeper"], 0x7ffc /* 9 vars */) = 0
100 openat(AT_FDCWD, "/home/ann/a.db", O_RDWR|O_CREAT|O_EXCL <unfinished ...>
101 close(3) = 0
100 <... openat resumed>, 0600) = 4
100 rename("/home/ann/a.db", "/home/ann/b.db") = 0
"""


def each_line(change: Callable[[bytes], bytes]) -> bytes:
    return b"".join(change(line) + b"\n" for line in LOG.splitlines())


def changed_in(tmp_path: Path, text: bytes) -> tuple[list[bytes], int]:
    """Read a log; what it changed, in order, and how many lines were not understood."""
    path = tmp_path / "log"
    path.write_bytes(text)
    assert is_strace_log(path)
    log, events = read_files([path])
    return changed(events), log.not_understood


RIGHT = ([b"/home/ann/a.db", b"/home/ann/b.db"], 0)

FORMS = {
    "plain": LOG,
    "CRLF": LOG.replace(b"\n", b"\r\n"),
    "CR": LOG.replace(b"\n", b"\r"),
    "NEL": LOG.replace(b"\n", b"\xc2\x85\n"),
    "in a fence": b"```text\n" + LOG + b"```\n",
    "in HTML's pre": b"<pre>\n" + LOG + b"</pre>\n",
    "trailing blanks": LOG.replace(b"\n", b" \t \n"),
    "blanks in some lines": LOG.replace(b"...>\n", b"...>  \n"),
    "BOM": b"\xef\xbb\xbf" + LOG,
    "UTF-16": LOG.decode().encode("utf-16"),
    "UTF-16 without mark": LOG.decode().encode("utf-16-le"),
    "gzip": gzip.compress(LOG),
    "xz": lzma.compress(LOG),
    "bzip2": bz2.compress(LOG),
    "colour at the start": each_line(lambda line: b"\x1b[32m" + line),
    "colour around words": LOG.replace(b"openat(", b"\x1b[1;34mopenat\x1b[0m("),
    "journal": each_line(lambda line: b"Jan 02 03:04:05 host keeper[100]: " + line),
    "journal iso": each_line(lambda line: b"2024-01-02T03:04:05+0100 host keeper[100]: " + line),
    "docker compose": each_line(lambda line: b"keeper-1  | " + line),
    "GitHub Actions": each_line(lambda line: b"2024-01-02T03:04:05.1234567Z " + line),
    "gh run view": each_line(lambda line: b"test\tRun it\t2024-01-02T03:04:05.1234567Z " + line),
    "GitLab": each_line(lambda line: b"2024-01-02T03:04:05.123456Z 01O " + line),
    "logcat": each_line(lambda line: b"01-02 03:04:05.678  1234  1234 I strace  : " + line),
    "logcat brief": each_line(lambda line: b"I/strace  ( 1234): " + line),
    "quoted mail": each_line(lambda line: b"> " + line),
    "indented": each_line(lambda line: b"\t    " + line),
    "numbered": b"".join(b"%6d\t%s\n" % each for each in enumerate(LOG.splitlines(), 1)),
    "web page": LOG.replace(b"&", b"&amp;").replace(b'"', b"&quot;").replace(b"<", b"&lt;"),
    "word processor": LOG.replace(b'"', "“".encode()),
    "no-break spaces": LOG.replace(b" = ", b"\xc2\xa0= "),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_stands_around_lines_is_taken_off(tmp_path: Path, form: str) -> None:
    assert changed_in(tmp_path, FORMS[form]) == RIGHT


@pytest.mark.parametrize("form", ["journal", "UTF-16", "gzip", "CRLF"])
def test_a_long_log_is_undressed_in_blocks(tmp_path: Path, form: str) -> None:
    more = b"".join(b'100 mkdir("/srv/%05d", 0700) = 0\n' % number for number in range(30_000))
    text = LOG + more
    dressed = {
        "journal": b"".join(
            b"Jan 02 03:04:05 host x[1]: " + line for line in text.splitlines(True)
        ),
        "UTF-16": text.decode().encode("utf-16"),
        "gzip": gzip.compress(text),
        "CRLF": text.replace(b"\n", b"\r\n"),
    }
    ops, bad = changed_in(tmp_path, dressed[form])
    assert (len(ops), bad) == (30_002, 0)


@pytest.mark.parametrize(
    "lines",
    [
        b" | 00000  68 61 6c 6c 6f 0a                                 hallo.           |\n",
        (
            b"% time     seconds  usecs/call     calls    errors syscall\n"
            b"------ ----------- ----------- --------- --------- ----------------\n"
            b" 30.17    0.000143          11        12           mmap\n"
            b" 12.45    0.000059          19         3         1 openat\n"
            b"------ ----------- ----------- --------- --------- ----------------\n"
            b"100.00    0.000474           8        54         2 total\n"
        ),
        b"100 SYS_328(0, 0x80800) = 3\n",
        b"Process 100 suspended\nProcess 100 resumed\nProcess 100 detached\n",
        b"Process 100 attached - interrupt to quit\n",
    ],
)
def test_other_lines_of_strace_are_no_mistake(tmp_path: Path, lines: bytes) -> None:
    assert changed_in(tmp_path, LOG + lines) == RIGHT


def test_relative_timestamps_in_whole_seconds(tmp_path: Path) -> None:
    text = b"".join(
        line[:4] + b"     %d " % number + line[4:]
        for number, line in enumerate(LOG.splitlines(keepends=True))
    )
    assert changed_in(tmp_path, text) == RIGHT


@pytest.mark.parametrize(
    "clone",
    [
        (
            b"clone(child_stack=0, flags=CLONE_CHILD_CLEARTID|SIGCHLDProcess 5632 attached\n"
            b", child_tidptr=0xb7f1e708) = 5632\n"
        ),
        (
            b"clone(Process 5632 attached\n"
            b"child_stack=0, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0xb7f1e708) = 5632\n"
        ),
        (
            b"clone(child_stack=0, flags=SIGCHLDProcess 5632 attached (waiting for parent)\n"
            b"Process 5632 resumed (parent 5631 ready)\n, child_tidptr=0xb7f1e708) = 5632\n"
        ),
    ],
)
def test_the_words_of_old_strace(tmp_path: Path, clone: bytes) -> None:
    text = (
        b'execve("/usr/bin/keeper", ["keeper"], [/* 20 vars */]) = 0\n'
        b'chdir("/home/ann")                      = 0\n'
        + clone
        + b'[pid  5632] open("child.db", O_RDWR|O_CREAT|O_EXCL, 0600) = 3\n'
        b'[pid  5631] open("parent.db", O_RDWR|O_CREAT|O_EXCL, 0600) = 3\n'
        b"[pid  5632] +++ exited with 0 +++\n"
        b"+++ exited with 0 +++\n"
    )
    ops, bad = changed_in(tmp_path, text)
    assert (sorted(ops), bad) == ([b"/home/ann/child.db", b"/home/ann/parent.db"], 0)


def test_a_log_of_file_calls_alone_tells_no_wrong_paths(tmp_path: Path) -> None:
    """Mkdir -p goes into what it has made; whose child a new process is, nothing tells."""
    text = (
        b'10 execve("/usr/bin/keeper", ["keeper"], 0x7ffc /* 9 vars */) = 0\n'
        b'10 chdir("/home/ann") = 0\n'
        b'11 openat(AT_FDCWD, "x.db", O_RDWR|O_CREAT|O_EXCL, 0600) = 3\n'
        b'10 mkdir(".config", 0777) = 0\n'
        b'10 openat(AT_FDCWD, ".config", O_RDONLY|O_NONBLOCK|O_NOFOLLOW|O_DIRECTORY) = 3\n'
        b'10 mkdir("keeper", 0777) = 0\n'
    )
    path = tmp_path / "log"
    path.write_bytes(text)
    log, events = read_files([path], cwd=b"/srv/start")
    made = [event.path for event in events if isinstance(event, Access) and event.op.changes]
    assert sorted(set(made)) == [b"/home/ann/.config", b"/home/ann/.config/keeper"]
    assert (log.relative_paths, log.lacks_descriptors) == (1, True)


def test_raw_arguments_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(LOG + b"100 openat(0xffffff9c, 0x7ffd1000, 0x42, 0x180) = 0x4\n")
    _, events = read_files([path])
    assert sum(getattr(event, "count", 0) for event in events if type(event).__name__ == "Unseen")


def test_what_cannot_be_unpacked_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 100)
    with pytest.raises(OSError, match="packed with zstd"):
        is_strace_log(path)
    path.write_bytes(gzip.compress(LOG)[:40])
    with pytest.raises(OSError, match="cannot be unpacked"):
        is_strace_log(path)


def test_flags_of_an_exclusive_open_survive(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(FORMS["CRLF"])
    _, events = read_files([path])
    (made,) = [each for each in events if isinstance(each, Access) and each.op is Op.CREATE]
    assert AccessFlag.EXCLUSIVE in made.flags
