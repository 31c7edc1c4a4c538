"""What is written down twice agrees: C with Python, our tables with the kernel's headers."""

import platform
import re
import subprocess
from errno import errorcode
from pathlib import Path

import pytest

from imptrace.db.codes import OP_CODES
from imptrace.tracer import _native
from imptrace.tracer.events import (
    CHANGES,
    KEPT_VARIABLES,
    Access,
    AccessFlag,
    FileState,
    FileType,
    Lost,
    Mount,
    MountNamed,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
    Unseen,
)
from imptrace.tracer.mountinfo import WAITING_TYPES, may_wait
from imptrace.tracer.native import ring as wire
from imptrace.tracer.syscalls import outcome_of

X86_64, I386, AARCH64 = 1, 2, 3
"""Columns of _native.calls()."""

# Our name, where the header's differs.
ALIASES: dict[int, dict[str, str]] = {
    X86_64: {},
    I386: {
        "chown16": "chown",
        "lchown16": "lchown",
        "fchown16": "fchown",
        "chown": "chown32",
        "lchown": "lchown32",
        "fchown": "fchown32",
        "newfstatat": "fstatat64",
    },
    AARCH64: {"newfstatat": "3264_fstatat", "truncate": "3264_truncate"},
}
ARM64 = ("-D__ARCH_WANT_RENAMEAT", "-D__ARCH_WANT_NEW_STAT")
"""What arm64 has of the older calls in asm-generic (arch/arm64/include/uapi/asm/unistd.h)."""
LATER = {"openat2", "faccessat2", "fchmodat2", "setxattrat", "removexattrat"}
"""Newer than some headers that we build with; the numbers are the same on all architectures."""


def header_numbers(header: str) -> dict[str, int]:
    """Ask the C preprocessor for the numbers of a header."""
    result = subprocess.run(
        ["gcc", "-E", "-dM", *ARM64, "-include", header, "-x", "c", "/dev/null"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    pairs = re.findall(r"^#define __NR_?(\w+) (\d+)$", result.stdout, re.MULTILINE)
    return {name: int(number) for name, number in pairs}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs the headers of x86-64")
@pytest.mark.parametrize(
    ("column", "header"),
    [(X86_64, "asm/unistd_64.h"), (I386, "asm/unistd_32.h"), (AARCH64, "asm-generic/unistd.h")],
)
def test_call_numbers(column: int, header: str) -> None:
    """Every number of the table is that of the kernel's header for its architecture."""
    numbers = header_numbers(header)
    aliases = ALIASES[column]
    for row in _native.calls():
        name = aliases.get(row[0], row[0])
        number = row[column]
        assert isinstance(number, int)
        if number >= 0 and not (row[0] in LATER and name not in numbers):
            assert numbers.get(name) == number, row


def test_numbers_that_all_architectures_share() -> None:
    """Calls newer than 2019 have one number everywhere."""
    for name, *numbers in _native.calls():
        if name in LATER:
            assert len(set(numbers)) == 1


PATHS = (b"/one", b"/other/one")
STARTED = (b"/usr/bin/x", b"x\0-v\0", b"/home/a", b"0::/a.slice\n", b"HOME=/home/a\0")


def record(kind: int, name: str, *texts: bytes, has: int = 0, op: int = 0, **values: int) -> bytes:
    """Write a record as C has it: each value at the offset and in the size of its field."""
    size, fields = _native.layout()[name]
    written = bytearray(size)
    assert {field for field, _, _ in fields} == values.keys()
    for field, offset, length in fields:
        written[offset : offset + length] = values[field].to_bytes(length, "little", signed=True)
    written = bytearray(bytes(written) + b"".join(texts))
    if kind:
        written[:8] = wire.HEADER.pack(len(written), kind, op, 0, has)
    return bytes(written)


def decoded(*records: bytes) -> list[object]:
    """Decode records as they follow each other in the ring."""
    return list(wire.Decoder().decode(b"".join(records)))


def access_record(number: int = 1) -> bytes:
    """Write an access with everything that one can have."""
    before = record(
        0, "state", mode=0o100640, uid=11, gid=12, size=13, inode=14, device=15, mtime_ns=16,
        ctime_ns=17,
    )  # fmt: skip
    before2 = record(
        0, "state", mode=0o40755, uid=21, gid=22, size=23, inode=24, device=25, mtime_ns=26,
        ctime_ns=27,
    )  # fmt: skip
    return record(
        1, "access", before, before2, *PATHS, has=7, op=wire.OPS.index(Op.RENAME),
        id=number, process=2, flags=int(AccessFlag.EXCHANGE), error=3, at=4,
        path_length=len(PATHS[0]), path2_length=len(PATHS[1]),
    )  # fmt: skip


def test_every_field_of_an_access_arrives() -> None:
    """Two fields that change places, in C or in Python, are told apart by their values."""
    assert decoded(access_record()) == [
        Access(
            process=2,
            op=Op.RENAME,
            path=PATHS[0],
            path2=PATHS[1],
            outcome=Outcome.OK,
            at=4,
            errno=3,
            flags=AccessFlag.EXCHANGE,
            before=FileState(FileType.FILE, 13, 0o640, 11, 12, 16, 14, 15, 17),
            before2=FileState(FileType.DIRECTORY, 23, 0o755, 21, 22, 26, 24, 25, 27),
            count=1,
            last=4,
        )
    ]


def test_every_field_of_a_repeat_arrives() -> None:
    repeat = record(2, "repeat", id=2, count=5, last=6)
    last = decoded(access_record(1), access_record(2), repeat)[-1]
    assert isinstance(last, Access)
    assert (last.path, last.count, last.last) == (PATHS[0], 5, 6)


def test_every_field_of_a_process_arrives() -> None:
    """Its texts have five lengths, of which no two are equal."""
    lengths = dict(
        zip(
            ("exe_length", "argv_length", "cwd_length", "cgroup_length", "environ_length"),
            map(len, STARTED),
            strict=True,
        )
    )
    assert len(set(lengths.values())) == len(STARTED)
    started = record(
        3, "process", *STARTED,
        process=3, parent=2, previous=1, pid=100, uid=11, gid=12, at=13, **lengths,
    )  # fmt: skip
    assert decoded(started) == [
        ProcessStarted(
            process=3,
            parent=2,
            previous=1,
            pid=100,
            exe=b"/usr/bin/x",
            argv=(b"x", b"-v"),
            cwd=b"/home/a",
            uid=11,
            gid=12,
            cgroup=b"/a.slice",
            environ={"HOME": b"/home/a"},
            at=13,
        )
    ]


def test_every_field_of_the_other_records_arrives() -> None:
    exits = {"process": 2, "status": 3, "at": 4, "left": 5}
    assert decoded(
        record(4, "exit", **exits),
        record(8, "exit", **exits),
        record(6, "count", process=2, count=3),
        record(5, "lost", count=3, since=4, until=5),
        record(11, "name", b"/in", b"/host", inside_length=3, host_length=5),
    ) == [
        ProcessExited(process=2, status=3, at=4),
        wire.ProgramEnded(status=3, left=5),
        Unseen(process=2, count=3),
        Lost(count=3, since=4, until=5),
        MountNamed(inside=b"/in", host=b"/host"),
    ]


def test_record_sizes() -> None:
    """Python unpacks exactly the structs that C writes."""
    assert {name: size for name, (size, _) in _native.layout().items()} == {
        "access": wire.ACCESS.size,
        "state": wire.STATE.size,
        "repeat": wire.REPEAT.size,
        "process": wire.PROCESS.size,
        "exit": wire.EXIT.size,
        "count": wire.COUNT.size,
        "lost": wire.LOST.size,
        "name": wire.NAME.size,
    }


def test_operations_have_one_number_each() -> None:
    """In C, in the reader of its records and in the database; and all agree what changes."""
    assert _native.operations() == [(op.value, op in CHANGES) for op in wire.OPS]
    assert set(OP_CODES) == set(Op) == set(wire.OPS)
    assert [OP_CODES[op] for op in wire.OPS] == list(range(1, len(Op) + 1))


def test_errors_mean_one_outcome() -> None:
    """To the supervisor in C, and to the readers of logs."""
    for errno in (0, *errorcode):
        assert wire.OUTCOMES[_native.outcome_of(errno)] is outcome_of(errno), errno


def test_flags_are_never_renumbered() -> None:
    """They are stored, and tracer/native/records.h repeats those that C sets."""
    assert {flag.name: flag.value for flag in AccessFlag} == {
        "EXCLUSIVE": 1,
        "TMPFILE": 2,
        "EXCHANGE": 4,
        "DIRECTORY": 8,
        "EMPTY": 16,
        "READ_FIRST": 32,
        "CARRIED": 64,
        "ALREADY_OPEN": 128,
        "MAPPED": 256,
        "CUT": 512,
        "PRIVATE_MOUNT": 1024,
    }


def test_file_systems_that_must_not_be_waited_on() -> None:
    """The supervisor, in C, and what looks at paths after the run, in Python, spare the same."""
    source = (Path(__file__).parents[2] / "tracer/native/mounts.c").read_text()
    listed = re.search(r"static bool type_waits.*?types\[\] = \{(.*?)\};", source, re.DOTALL)
    assert listed is not None
    assert {name.encode() for name in re.findall(r'"(\w+)"', listed[1])} == WAITING_TYPES
    assert 'strncmp(type, "fuse", 4)' in source
    assert may_wait(Mount(1, 0, "0:1", b"/", b"/mnt", "fuse.sshfs", b"x", "rw"))


def test_variables_that_may_be_recorded() -> None:
    """C reads them for most recorders, Python for logs and for what was open before."""
    source = (Path(__file__).parents[2] / "tracer/native/variables.c").read_text()
    assert set(re.findall(r'"(\w+)="', source)) == KEPT_VARIABLES
