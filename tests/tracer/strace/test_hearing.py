"""Relative paths of logs that were asked for some calls only: right, or left out and counted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from reading import needs_strace, read_files, strace, strace_on_stderr, told

from imptrace.tracer.events import Access, Outcome

SCRIPT = (
    "cd d; echo 1 >in_d; (cd e; echo 2 >in_e; mkdir sub; mv in_e sub/moved); cd ..; echo 3 >top; "
    "mkdir -p a/b/c; echo 4 >a/b/c/deep; rm top; cat missing; cat d/missing; exit 0"
)
TRUE = {
    *(b"d/in_d", b"d/e/in_e", b"d/e/sub", b"d/e/sub/moved", b"top"),
    *(b"a", b"a/b", b"a/b/c", b"a/b/c/deep", b"missing", b"d/missing"),
}
IN_PART = [
    *("-P top", "-P in_e -y", "-P in_d -P in_e", "-Z", "--status=failed -y", "-z"),
    *("-e trace=open,openat,mkdir,rename,unlink", "-e trace=open,openat,mkdir,rename,unlink -y"),
    *("-e trace=execve,openat,close,mkdir", "-e trace=%process,openat,mkdir"),
    *("-e trace=%file", "-e trace=%desc", "-e trace=!%process", "-e raw=openat"),
]


@needs_strace
@pytest.mark.parametrize(
    ("options", "trace"),
    [(each, strace) for each in IN_PART]
    + [(each, strace_on_stderr) for each in ("-b execve", "-qqq", "-P in_e -y", "-e trace=%file")],
)
def test_no_path_is_wrong(
    options: str, trace: Callable[[list[str], list[str], Path, Path], None], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (work / "d/e").mkdir(parents=True)
    log = tmp_path / "log"
    command = ["sh", "-c", SCRIPT]
    trace(["-f", *options.split()], command, work, log)
    if not log.stat().st_size:
        return
    _, events = read_files([log], cwd=bytes(work))
    found = {
        path
        for each in events
        if isinstance(each, Access) and (each.op.changes or each.outcome is Outcome.MISSING)
        for path in (each.path, each.path2)
        if path and (path.startswith(bytes(work)) or b"missing" in path)
    }
    assert {path.removeprefix(bytes(work) + b"/") for path in found} <= TRUE


def test_an_attached_program_is_heard_in_full() -> None:
    """Where calls are told that no filter of paths lets through, a chdir would be told as well."""
    text = b'7 brk(NULL) = 0x55\n7 mkdir("x", 0700) = 0\n'
    assert [each.path for each in told(text, cwd=b"/srv") if isinstance(each, Access)] == [
        b"/srv/x"
    ]
    assert not [each for each in told(text[-24:], cwd=b"/srv") if isinstance(each, Access)]


def test_a_child_of_one_that_moved_and_ended() -> None:
    """Without births: whose child it is, and where that one was, nothing tells."""
    text = (
        b'10 execve("/usr/bin/keeper", ["keeper"], 0x7ffc /* 9 vars */) = 0\n'
        b'10 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)\n'
        b'10 chdir("/home/ann") = 0\n'
        b"10 +++ exited with 0 +++\n"
        b'12 mkdir("x", 0700) = 0\n'
    )
    found = [each for each in told(text, cwd=b"/srv") if isinstance(each, Access)]
    assert not [each for each in found if each.path.endswith(b"/x")]


@pytest.mark.parametrize("move", [b'chdir("/home/ann"', b"fchdir(3"])
def test_a_move_whose_rest_was_left_out(move: bytes) -> None:
    """`strace -z` of some versions loses the second half of what was interrupted."""
    text = (
        b'10 execve("/usr/bin/keeper", ["keeper"], 0x7ffc /* 9 vars */) = 0\n10 '
        + move
        + b' <unfinished ...>\n10 mkdir("x", 0700) = 0\n'
    )
    assert not [
        each for each in told(text, cwd=b"/srv") if each.__class__ is Access and each.op.changes
    ]
