"""What is written down twice agrees: C with Python, our tables with the kernel's headers."""

import platform
import re
import subprocess
from pathlib import Path

import pytest

from imptrace.tracer import _native
from imptrace.tracer.events import AccessFlag, Mount
from imptrace.tracer.mountinfo import WAITING_TYPES, may_wait
from imptrace.tracer.native import ring as wire

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


def test_record_sizes() -> None:
    """Python unpacks exactly the structs that C writes."""
    sizes = {
        "access": wire.ACCESS.size,
        "state": wire.STATE.size,
        "repeat": wire.REPEAT.size,
        "process": wire.PROCESS.size,
        "exit": wire.EXIT.size,
        "count": wire.COUNT.size,
        "name": wire.NAME.size,
    }
    assert _native.layout() == sizes


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
