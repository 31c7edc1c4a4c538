"""What the program itself serves is never waited for: neither its pages nor its file systems."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_programs import Recorder, needs_root

PATIENCE = 20
"""Seconds; a deadlock lasts for ever."""
RECORDERS = ("notify", "ptrace")


@pytest.fixture
def mirror(compiled: Callable[..., Path]) -> Path:
    """Build a FUSE server."""
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "fuse3"], capture_output=True, text=True, check=False
    )
    if flags.returncode or not os.access("/dev/fuse", os.W_OK):
        pytest.skip("no FUSE here")
    return compiled("mirror", *flags.stdout.split())


@pytest.mark.parametrize("recorder", RECORDERS)
@needs_root
def test_pages_of_its_own(
    record: Recorder, work: Path, compiled: Callable[..., Path], recorder: str
) -> None:
    """userfaultfd: the path is on a page that another thread is about to fill."""
    (work / "page").write_text("/etc/passwd")
    result = record(
        str(compiled("own_pages")), options=["--recorder", recorder], cwd=work, timeout=PATIENCE
    )
    if result.returncode == 77:
        pytest.skip("no userfaultfd here")
    assert result.stdout == b"opened\n"
    assert record.details().run.unseen == 1
    assert os.fsencode(work / "page") in record.paths(work)


@pytest.mark.parametrize("recorder", RECORDERS)
@pytest.mark.parametrize("overlay", [False, True], ids=["fuse", "overlay on fuse"])
@needs_root
def test_file_system_of_its_own(
    record: Recorder,
    work: Path,
    compiled: Callable[..., Path],
    mirror: Path,
    recorder: str,
    *,
    overlay: bool,
) -> None:
    """A program on a FUSE mount whose server is recorded too.

    Without being told to, the server would end only with the last copy of the mount, and whoever
    made a mount namespace meanwhile has one: a rehearsal or a container of another test.
    """
    for name in ("source", "mount", "upper", "work", "over"):
        (work / name).mkdir()
    (work / "source/program").write_bytes(compiled("constant_path").read_bytes())
    (work / "source/program").chmod(0o755)
    where = "over" if overlay else "mount"
    mount = (
        f"mount -t overlay x -o lowerdir={work}/mount,upperdir=upper,workdir=work over || exit 77"
    )
    script = f"""
{mirror} {work}/source -f mount 2>/dev/null & server=$!
sleep 1; {mount if overlay else ":"}
{where}/program; {"umount over" if overlay else ":"}
umount mount; kill $server; wait $server
"""
    try:
        result = record(
            "sh", "-c", script, options=["--recorder", recorder], cwd=work, timeout=PATIENCE
        )
    finally:
        for name in ("over", "mount"):
            subprocess.run(["umount", "-l", str(work / name)], check=False, capture_output=True)
    if result.returncode == 77:
        pytest.skip("no overlay on FUSE here")
    assert result.stdout == b"opened\n", result.stderr


def test_parent_that_ends_at_once(
    record: Recorder, work: Path, compiled: Callable[..., Path]
) -> None:
    """Of a grandchild that is an orphan nothing is lost under ptrace."""
    for _ in range(6):
        (work / "late").unlink(missing_ok=True)
        record(
            str(compiled("orphan")),
            options=["-q", "--recorder", "ptrace", "--wait", "children"],
            cwd=work,
        )
        assert os.fsencode(work / "late") in record.paths(work)
