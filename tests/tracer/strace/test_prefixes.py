"""What stands before, around and between strace's lines when others have handled a log."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from reading import changed, read_files

from imptrace.tracer.events import ProcessStarted
from imptrace.tracer.strace.files import is_strace_log

LOG = b"""100 execve("/usr/bin/keeper", ["keeper"], 0x7ffc /* 9 vars */) = 0
100 openat(AT_FDCWD, "/home/ann/a.db", O_RDWR|O_CREAT|O_EXCL <unfinished ...>
101 close(3) = 0
100 <... openat resumed>, 0600) = 4
100 rename("/home/ann/a.db", "/home/ann/b.db") = 0
100 +++ exited with 0 +++
"""
IN_BRACKETS = LOG.replace(b"100 ", b"[pid   100] ").replace(b"101 ", b"[pid   101] ")
WITH_TIME = b"".join(line[:4] + b"03:04:05.123456 " + line[4:] for line in LOG.splitlines(True))
OLD = b"""execve("/usr/bin/keeper", ["keeper"], [/* 20 vars */]) = 0
open("/home/ann/a.db", O_RDWR|O_CREAT|O_EXCL, 0600) = 3
rename("/home/ann/a.db", "/home/ann/b.db") = 0
"""
RIGHT = [b"/home/ann/a.db", b"/home/ann/b.db"]

PREFIXES = {
    "docker compose, coloured": b"\x1b[36mkeeper-1  |\x1b[0m ",
    "docker-compose 1": b"keeper_1    | ",
    "podman compose": b"[keeper] | ",
    "docker logs -t": b"2024-01-02T03:04:05.123456789Z ",
    "kubectl logs --prefix": b"[pod/keeper-abc-12/keeper] ",
    "stern": b"keeper-abc-12 keeper ",
    "containerd": b"2024-01-02T03:04:05.123456789Z stderr F ",
    "journalctl -o short-precise": b"Jan 02 03:04:05.123456 host keeper[100]: ",
    "journalctl -o short-full": b"Tue 2024-01-02 03:04:05 CET host keeper[100]: ",
    "journalctl -o short-iso": b"2024-01-02T03:04:05+01:00 host keeper[100]: ",
    "journalctl -o short-monotonic": b"[   12.345678] host keeper[100]: ",
    "journalctl -o short-unix": b"1704164645.123456 host keeper[100]: ",
    "syslog, RFC 3164": b"<13>Jan  2 03:04:05 host keeper[100]: ",
    "syslog, RFC 5424": b"<13>1 2024-01-02T03:04:05.123Z host keeper 100 - - ",
    "dmesg": b"[   12.345678] ",
    "dmesg -T": b"[Tue Jan  2 03:04:05 2024] ",
    "multilog": b"@4000000065937f2e1a2b3c4d ",
    "s6-log": b"2024-01-02 03:04:05.123456789  ",
    "ts": b"Jan 02 03:04:05 ",
    "ts -i": b"00:00:01 ",
    "ts %.s": b"1704164645.123456 ",
    "Azure": b"2024-01-02T03:04:05.1234567Z ",
    "Jenkins": b"[2024-01-02T03:04:05.123Z] ",
    "Jenkins, timestamper": b"03:04:05  ",
    "Buildkite": b"\x1b_bk;t=1704164645123\x07",
    "GitLab": b"2024-01-02T03:04:05.123456Z 01E ",
    "Drone": b"[keeper:12] ",
    "Heroku": b"2024-01-02T03:04:05.123456+00:00 app[web.1]: ",
    "foreman": b"03:04:05 web.1  | ",
    "pm2": b"0|keeper  | ",
    "cargo": b"   stderr: ",
    "Python's logging": b"2024-01-02 03:04:05,123 DEBUG ",
    "Python's logging, basic": b"DEBUG:strace:",
    "logcat -v time": b"01-02 03:04:05.678 I/strace  ( 1234): ",
    "logcat -v tag": b"I/strace: ",
    "logcat -v year": b"2024-01-02 03:04:05.678  1234  1234 I strace  : ",
    "logcat -v uid": b"01-02 03:04:05.678 10123  1234  1234 I strace  : ",
    "grep -H": b"strace.log:",
    "a list": b"  - ",
    "a chat": b"<ann> ",
    "a chat with time": b"03:04 ",
}
NUMBERS: dict[str, Callable[[int], bytes]] = {
    "less -N": lambda number: b"%7d " % number,
    "nl": lambda number: b"%6d\t" % number,
    "grep -n": lambda number: b"%d:" % number,
    "grep -Hn": lambda number: b"logs/strace.log:%d:" % number,
    "ninja": lambda number: b"[%d/6] " % number,
}
FORMS = {
    "JSON of docker": b"".join(
        json.dumps({"log": line.decode(), "stream": "stderr"}).encode() + b"\n"
        for line in LOG.splitlines(True)
    ),
    "JSON of the journal": b"".join(
        json.dumps({"__CURSOR": "s=1", "MESSAGE": line.decode(), "_PID": "100"}).encode() + b"\n"
        for line in LOG.splitlines()
    ),
    "CSV": b"".join(b'"%s"\n' % line.replace(b'"', b'""') for line in LOG.splitlines()),
    "escaped": LOG.replace(b'"', b'\\"'),
    "a page without quotes": LOG.replace(b"<", b"&lt;").replace(b">", b"&gt;"),
    "UTF-32": LOG.decode().encode("utf-32"),
    "double spaced": LOG.replace(b"\n", b"\n\n"),
    "form feeds": LOG.replace(b"\n", b"\f\n"),
    "GitHub Actions, downloaded": b"\xef\xbb\xbf"
    + b"".join(b"2024-01-02T03:04:05.1234567Z %s\r\n" % line for line in LOG.splitlines()),
    "names of arguments": (
        b'100 execve(pathname="/usr/bin/keeper", argv=["keeper"], envp=0x7ffc /* 9 vars */) = 0\n'
        b'100 openat(dirfd=AT_FDCWD, pathname="/home/ann/a.db", flags=O_CREAT, mode=0600) = 4\n'
        b'100 rename(oldpath="/home/ann/a.db", newpath="/home/ann/b.db") = 0\n'
    ),
    "SELinux contexts": (
        b'100 [u:r:t:s0] execve("/usr/bin/keeper" [u:object_r:bin_t:s0], ["keeper"], 0x7) = 0\n'
        b'100 [u:r:t:s0] openat(AT_FDCWD [u:r:t:s0], "/home/ann/a.db", O_RDWR|O_CREAT|O_EXCL, 0600)'
        b" = 4</home/ann/a.db> [u:object_r:user_home_t:s0]\n"
        b'100 [u:r:t:s0] rename("/home/ann/a.db" [user_home_t!!etc_t], "/home/ann/b.db") = 0\n'
    ),
    "a mode in the middle": (
        b'100 execve("/usr/bin/keeper", ["keeper"], 0x7ffc /* 9 vars */) = 0\n'
        b'100 openat(AT_FDCWD, "/home/ann/a.db", O_RDWR|O_CREAT|O_EXCL'
        b"strace: [ Process PID=99 runs in 32 bit mode. ]\n, 0600) = 4\n"
        b'100 rename("/home/ann/a.db", "/home/ann/b.db") = 0\n'
    ),
}
OWN_WORDS = [
    b"ptrace: umoven: Input/output error",
    b"PANIC: attached pid 123 exited with 0",
    b"attach: ptrace(PTRACE_ATTACH, ...): Operation not permitted",
    b"upeek: ptrace(PTRACE_PEEKUSER,12,112,0): No such process",
    b"syscall: unknown syscall trap 0xffffffff",
    b"trouble opening proc file",
    b"Process 12 attached with 3 threads - interrupt to quit",
    b"pid 12 stopped, [SIGSTOP]",
    b"[ Process PID=12 runs in 32 bit mode. ]",
    b"SYS_983045(0xb6f4f4c0, 0) = 0",
    b"syscall_983045(0xb6f4f4c0, 0) = 0",
    b"0xffffffff(0x1) = 0",
    b"????( <unfinished ...>",
    b"System call usage summary for 32 bit mode:",
    b"exit_group(0 <unfinished ... exit status 0>",
]
ARM = b"""execve("/usr/bin/keeper", ["keeper"], [/* 20 vars */]) = 0
set_tls(0xb6f, 0xb6) = 0
cacheflush(0xb6f, 0xb70, 0, 0, 0) = 0
ugetrlimit(RLIMIT_STACK, {rlim_cur=8192*1024, rlim_max=RLIM_INFINITY}) = 0
open("/home/ann/a.db", O_RDWR|O_CREAT|O_EXCL|O_LARGEFILE, 0600) = 3
arm_fadvise64_64(3, POSIX_FADV_SEQUENTIAL, 0, 0) = 0
fchown32(3, 1000, 1000) = 0
ftruncate64(3, 0x400, 0, 0) = 0
sync_file_range2(3, 0, 0, 0) = 0
rename("/home/ann/a.db", "/home/ann/b.db") = 0
fstatat64(AT_FDCWD, "/home/ann/b.db", {st_mode=S_IFREG|0600, st_size=0}, 0) = 0
futex_time64(0x1, FUTEX_WAKE, 1) = 0
"""


def told(tmp_path: Path, text: bytes) -> tuple[list[bytes], int, set[int]]:
    """Read a log: what it changed, lines not understood, and who it was."""
    path = tmp_path / "log"
    path.write_bytes(text)
    assert is_strace_log(path)
    log, events = read_files([path])
    pids = {each.pid for each in events if isinstance(each, ProcessStarted)}
    return changed(events), log.not_understood, pids


@pytest.mark.parametrize("log", [LOG, IN_BRACKETS, WITH_TIME], ids=["plain", "brackets", "time"])
@pytest.mark.parametrize("name", PREFIXES)
def test_prefixes(tmp_path: Path, name: str, log: bytes) -> None:
    text = b"".join(PREFIXES[name] + line for line in log.splitlines(True))
    assert told(tmp_path, text) == (RIGHT, 0, {100})


@pytest.mark.parametrize("name", NUMBERS)
def test_numbered_lines(tmp_path: Path, name: str) -> None:
    """The number of a line is nobody's process."""
    lines = enumerate(LOG.splitlines(True), 1)
    text = b"".join(NUMBERS[name](number) + line for number, line in lines)
    assert told(tmp_path, text) == (RIGHT, 0, {100})


@pytest.mark.parametrize("name", FORMS)
def test_forms(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, FORMS[name]) == (RIGHT, 0, {100})


@pytest.mark.parametrize("words", OWN_WORDS)
def test_words_of_old_strace(tmp_path: Path, words: bytes) -> None:
    assert told(tmp_path, OLD + words + b"\n")[:2] == (RIGHT, 0)


def test_calls_of_32_bit_arm(tmp_path: Path) -> None:
    assert told(tmp_path, ARM)[:2] == (RIGHT, 0)


def test_what_a_program_says_is_cut_from_no_line(tmp_path: Path) -> None:
    """Most lines are strace's own: a pid is no prefix, whatever stands in some others."""
    text = LOG + b'keeper: calling open(x)\nnoise 7 mkdir("/home/ann/no", 0700) = 0\n'
    paths, puzzled, pids = told(tmp_path, text)
    assert (paths, puzzled, pids) == (RIGHT, 2, {100})
