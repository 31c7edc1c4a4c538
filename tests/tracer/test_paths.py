"""Any path, however it is written, is recorded as the kernel resolves it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recorded_programs import Recorder, needs_root

from imptrace.tracer.events import AccessFlag, Op, Outcome

PATH_MAX = 4096
PYTHON = "/usr/bin/python3"


def python(record: Recorder, code: str, work: Path) -> None:
    """Record a Python program in `work`; it must succeed."""
    result = record(PYTHON, "-S", "-E", "-c", code, cwd=work)
    assert result.returncode == 0, result.stderr.decode()


def test_every_byte(record: Recorder, work: Path) -> None:
    """All bytes but NUL and slash, one file each."""
    code = "for b in range(1, 256):\n if b not in b'/.': open(b'a' + bytes([b]), 'w').close()"
    python(record, code, work)
    made = {path for path, seen in record.paths(work).items() if Op.CREATE in seen.ops}
    top = os.fsencode(work)
    assert made == {top + b"/a" + bytes([b]) for b in range(1, 256) if b not in b"/."}


def test_longest_path(record: Recorder, work: Path) -> None:
    """4,095 bytes are the kernel's limit, and a relative path may lie deeper than that."""
    code = """
import os
top = os.getcwdb() + b'/'
rest = 4095 - len(top)
names = [b'd' * 255] * (rest // 256 - 1)
path = top + b'/'.join(names)
os.makedirs(path)
path += b'/' + b'f' * (4095 - len(path) - 1 - 256) + b'/'
os.mkdir(path)
path += b'x' * (4095 - len(path))
assert len(path) == 4095
open(path, 'w').close()
os.chdir(os.path.dirname(path))
os.mkdir(b'e' * 255); os.chdir(b'e' * 255)
open(b'deeper', 'w').close()
"""
    python(record, code, work)
    paths = record.paths(work)
    assert [path for path in paths if len(path) == PATH_MAX - 1 and path.endswith(b"x")]
    assert [path for path in paths if len(path) > PATH_MAX and path.endswith(b"/deeper")]


def test_whoever_changes_the_working_directory(
    record: Recorder, work: Path, compiled: Callable[..., Path]
) -> None:
    """Each file is where the program says it made it, however it came there."""
    result = record(str(compiled("chdirs")), cwd=work)
    assert result.returncode == 0
    made = {path for path, seen in record.paths(work).items() if Op.CREATE in seen.ops}
    assert len(made) == 80
    assert made == set(result.stdout.splitlines())


def test_links_and_missing_directories_that_change(record: Recorder, work: Path) -> None:
    """What was found out about a name a moment ago holds only as long as it is true."""
    code = """
import os, shutil
def look(path):
    try: open(path).close()
    except FileNotFoundError: pass
os.symlink('void/x', 'dangling')
for _ in range(3):
    look('no/such/file'); look('dangling')
os.makedirs('no/such'); open('no/such/file', 'w').close()
os.symlink('no/such/file', 'link')
look('link'); look('link')
os.mkdir('b'); open('b/file', 'w').close()
os.unlink('link'); os.symlink('b/file', 'link'); look('link')
shutil.rmtree('no'); look('no/such/file')
os.symlink('b', 'no'); look('no/file'); look('no/none/file')
"""
    python(record, code, work)
    seen = record.paths(work)
    below = {os.fsdecode(path)[len(f"{work}/") :]: found for path, found in seen.items()}
    reads = {name: found.ops[Op.READ] for name, found in below.items() if Op.READ in found.ops}
    assert reads.items() >= {
        ("void/x", 3),
        ("no/such/file", 3 + 2 + 1),
        ("b/file", 2),
        ("b/none/file", 1),
    }
    assert below["void/x"].outcome is below["b/none/file"].outcome is Outcome.MISSING
    assert "link" not in reads
    assert "dangling" not in reads


def test_relative_to_a_deleted_directory(record: Recorder, work: Path) -> None:
    """Nothing can be made there: the path is where it was, the outcome says so."""
    code = """
import os
os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')
try: open('file', 'w')
except FileNotFoundError: pass
else: raise SystemExit(1)
"""
    python(record, code, work)
    seen = record.paths(work)[os.fsencode(work / "gone/file")]
    assert {access.outcome for access in seen.accesses} == {Outcome.MISSING}


def test_dots_links_and_descriptors(record: Recorder, work: Path) -> None:
    """`..` after a symbolic link, a link to a file, a directory descriptor, /proc/self/fd."""
    code = """
import os
os.makedirs('real/inner'); os.symlink('real/inner', 'link')
open('link/../from-dots', 'w').close()
os.symlink('target', 'file-link'); open('file-link', 'w').close()
fd = os.open('real', os.O_RDONLY)
os.close(os.open('at-fd', os.O_CREAT | os.O_WRONLY, dir_fd=fd))
open('/proc/self/fd/%d/through-proc' % fd, 'w').close()
open('/dev/fd/%d/through-dev' % fd, 'w').close()
own = os.open('own', os.O_CREAT | os.O_RDWR)
open('/proc/self/fd/%d' % own, 'w').close()
open('/proc/thread-self/fd/%d' % own, 'a').close()
os.fchmod(own, 0o600)
"""
    python(record, code, work)
    made = {path for path, seen in record.paths(work).items() if Op.WRITE in seen.ops}
    names = (
        "real/from-dots", "target", "real/at-fd", "real/through-proc", "real/through-dev", "own",
    )  # fmt: skip
    assert made == {os.fsencode(work / name) for name in names}
    own = record.paths(work)[os.fsencode(work / "own")].ops
    assert (own[Op.WRITE], own[Op.CHMOD]) == (3, 1)


def test_nothing_follows_a_link_that_the_kernel_does_not(record: Recorder, work: Path) -> None:
    """unlink, rename, lchown, O_NOFOLLOW and O_EXCL act on the link itself."""
    (work / "target").write_text("x")
    code = """
import os
for name in 'abc': os.symlink('target', name)
os.unlink('a'); os.rename('b', 'B'); os.lchown('c', -1, -1)
for flags in (os.O_NOFOLLOW, os.O_CREAT | os.O_EXCL):
    try: os.open('c', flags | os.O_WRONLY)
    except OSError: pass
"""
    python(record, code, work)
    assert os.fsencode(work / "target") not in record.paths(work)


def test_nameless_file_gets_a_name(record: Recorder, work: Path) -> None:
    """O_TMPFILE then linkat: no rename and no create, and yet a new file."""
    code = """
import os
fd = os.open('.', os.O_TMPFILE | os.O_WRONLY, 0o600)
os.write(fd, b'x')
os.link('/proc/self/fd/%d' % fd, 'named', src_dir_fd=os.open('.', os.O_RDONLY))
"""
    python(record, code, work)
    seen = record.paths(work)[os.fsencode(work / "named")]
    assert seen.ops == {Op.LINK: 1}
    assert AccessFlag.TMPFILE in seen.flags


def test_directory_renamed_into_place(record: Recorder, work: Path) -> None:
    """What is inside goes along: it is shown under the name at which it was left behind."""
    code = "import os\nos.mkdir('t')\nopen('t/inside', 'w').close()\nos.rename('t', 'place')"
    python(record, code, work)
    seen = record.paths(work)[os.fsencode(work / "place/inside")]
    assert AccessFlag.CARRIED in seen.flags
    assert seen.after is not None
    assert seen.effect == "created"


def names_of_mounts(record: Recorder) -> dict[str, str | None]:
    """Tell which mounts of the program had other names than the host's."""
    return {
        os.fsdecode(name.inside): None if name.host is None else os.fsdecode(name.host)
        for name in record.details().mount_names
    }


@pytest.fixture
def places(work: Path) -> Iterator[Path]:
    """Give two directories, and unmount the second at the end."""
    for name in ("here", "there"):
        (work / name).mkdir()
    yield work
    subprocess.run(["umount", str(work / "there")], check=False, capture_output=True)


@needs_root
def test_bind_mount(record: Recorder, places: Path) -> None:
    """A file below a bind mount of the host has the name that the program and the host use."""
    subprocess.run(["mount", "--bind", places / "here", places / "there"], check=True)
    record("sh", "-c", "echo > there/file", cwd=places)
    assert os.fsencode(places / "there/file") in record.paths(places)


@needs_root
def test_mount_namespace(record: Recorder, places: Path) -> None:
    """Mounted only for the program, a place has the name under which the host knows it."""
    script = "mount --bind here there; echo > there/file; cd there; echo > relative"
    record("unshare", "-m", "sh", "-c", script, cwd=places)
    made = {path for path, seen in record.paths(places).items() if Op.CREATE in seen.ops}
    assert made == {os.fsencode(places / "here" / name) for name in ("file", "relative")}
    assert names_of_mounts(record)[str(places / "there")] == str(places / "here")


@needs_root
def test_pivot_root(record: Recorder, places: Path) -> None:
    """A container's new root, its mounts and what only it has; both names are kept."""
    script = """
mount --bind here here; cd here; mkdir -p old proc usr private
mount -t proc none proc; mount --rbind /usr usr
mount -t tmpfs none private
for each in bin lib lib64; do ln -sfn usr/$each $each; done
pivot_root . old; umount -l /old
exec /bin/sh -c 'echo >/made; cd /; echo >relative; echo >/private/own'
"""
    record("unshare", "-m", "sh", "-ec", script, cwd=places)
    made = {path for path, seen in record.paths(places).items() if Op.CREATE in seen.ops}
    assert made == {os.fsencode(places / "here" / name) for name in ("made", "relative")}
    names = names_of_mounts(record)
    assert names["/"] == str(places / "here")
    assert names["/private"] is None
    (own,) = record.paths(b"/private")
    assert own == b"/private/own"


@needs_root
def test_chroot_in_a_mount_namespace(record: Recorder, work: Path) -> None:
    """Its root directory is on no mount that can be seen from inside."""
    (work / "jail/inner").mkdir(parents=True)
    code = """
import os
os.chroot('jail'); os.chdir('/inner')
open('/absolute', 'w').close(); open('relative', 'w').close()
"""
    record("unshare", "-m", sys.executable, "-c", code, cwd=work)
    made = {path for path, seen in record.paths(work).items() if Op.WRITE in seen.ops}
    assert made == {os.fsencode(work / "jail" / name) for name in ("absolute", "inner/relative")}
    assert names_of_mounts(record) == {"/": str(work / "jail")}


@needs_root
def test_chroot(record: Recorder, work: Path) -> None:
    """Paths inside a chroot have the host's names, absolute links included."""
    (work / "jail").mkdir()
    code = """
import os
os.symlink('/inner', 'jail/link'); os.mkdir('jail/inner')
os.chroot('jail')
open('/absolute', 'w').close(); open('/link/through-link', 'w').close()
open('/../../dots', 'w').close(); os.chdir('/inner'); open('relative', 'w').close()
"""
    python(record, code, work)
    made = {path for path, seen in record.paths(work).items() if Op.WRITE in seen.ops}
    names = ("absolute", "inner/through-link", "dots", "inner/relative")
    assert made == {os.fsencode(work / "jail" / name) for name in names}
