"""Logs of other architectures: strace calls many calls by names that this one has not."""

from pathlib import Path

import pytest

from imptrace.tracer.events import Op
from tests.tracer.strace.reading import changes, told

D = b"/home/ann/.config/keeper/"
I386 = b"""\
100 execve("/usr/bin/keeper", ["keeper"], 0xbfff /* 9 vars */) = 0
100 _newselect(0, NULL, NULL, NULL, {tv_sec=0, tv_usec=10}) = 0 (Timeout)
100 stat64("/home/ann/.keeperrc", 0xbfa) = -1 ENOENT (No such file or directory)
100 open("@a", O_RDWR|O_CREAT|O_EXCL|O_LARGEFILE, 0600) = 3
100 _llseek(3, 0, [0], SEEK_SET) = 0
100 fcntl64(3, F_SETFD, FD_CLOEXEC) = 0
100 truncate64("@a", 100) = 0
100 lchown32("@l", 1000, 1000) = 0
100 utimensat_time64(AT_FDCWD, "@u", NULL, 0) = 0
100 socketcall(SYS_SOCKET, [AF_UNIX, SOCK_STREAM, 0]) = 4
100 rename("@a", "@b") = 0
100 mknod("@p", S_IFIFO|0600) = 0
"""
AARCH64 = b"""\
100 execve("/usr/bin/keeper", ["keeper"], 0xffffc /* 9 vars */) = 0
100 newfstatat(AT_FDCWD, "/home/ann/.keeperrc", 0xff, 0) = -1 ENOENT (No such file or directory)
100 openat(AT_FDCWD, "@a", O_RDWR|O_CREAT|O_EXCL, 0600) = 3
100 fchmodat(AT_FDCWD, "@a", 0600) = 0
100 renameat(AT_FDCWD, "@a", AT_FDCWD, "@b") = 0
100 symlinkat("b", AT_FDCWD, "@y") = 0
100 mkdirat(AT_FDCWD, "@d", 0777) = 0
"""
MIPS = b"""\
[pid   100] execve("/usr/bin/keeper", ["keeper"], 0x7fff /* 9 vars */) = 0
[pid   100] set_thread_area(0x77) = 0
[pid   100] open("@a", O_RDWR|O_CREAT|O_EXCL, 0600) = 3
[pid   100] sysmips(0x7d1, 0x77, 0, 0) = 0
[pid   100] rename("@a", "@b") = 0
[pid   100] fork() = 101
[pid   101] unlink("@z") = 0
[pid   101] mkdir("@c", 0755) = 0
"""
RISCV = b"""\
100 execve("/usr/bin/keeper", ["keeper"], 0x3fff /* 9 vars */) = 0
100 riscv_flush_icache(0x3fff, 0x4000, 0) = 0
100 openat(AT_FDCWD, "@a", O_RDWR|O_CREAT|O_EXCL, 0600) = 3
100 renameat2(AT_FDCWD, "@a", AT_FDCWD, "@b", 0) = 0
100 fchmodat2(AT_FDCWD, "@m", 0600, AT_SYMLINK_NOFOLLOW) = 0
"""


@pytest.mark.parametrize(
    ("log", "others"),
    [
        (I386, {(Op.TRUNCATE, b"a"), (Op.CHOWN, b"l"), (Op.UTIME, b"u"), (Op.CREATE, b"p")}),
        (AARCH64, {(Op.CHMOD, b"a"), (Op.SYMLINK, b"y"), (Op.MKDIR, b"d")}),
        (MIPS, {(Op.DELETE, b"z"), (Op.MKDIR, b"c")}),
        (RISCV, {(Op.CHMOD, b"m")}),
    ],
    ids=["i386", "aarch64", "mips", "riscv64"],
)
def test_the_calls_of_other_architectures(log: bytes, others: set[tuple[Op, bytes]]) -> None:
    found = changes(told(log.replace(b"@", D)), Path(D.decode()))
    assert {(Op.CREATE, b"a", None), (Op.RENAME, b"a", b"b")} <= found
    assert others <= {(op, path) for op, path, _ in found}
