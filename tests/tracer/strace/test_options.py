"""One program, every set of options that strace has for its log: always the same answer."""

from pathlib import Path

import pytest
from reading import Change, changes, compiled, needs_gcc, needs_strace, read_files, strace

from imptrace.tracer.events import Access, AccessFlag, Op, Outcome, ProcessExited, ProcessStarted

pytestmark = [needs_strace, needs_gcc]

TRACEE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static void *in_thread(void *name)
{
	int fd = openat(AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	write(fd, "x", 1);
	close(fd);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int fd, dir;
	pid_t child;

	mkdir("d", 0700);
	dir = open("d", O_DIRECTORY | O_RDONLY);
	close(openat(dir, "quote\"new\nline\xff<>", O_CREAT | O_EXCL | O_WRONLY, 0600));
	access("made", F_OK);
	fd = open("made", O_CREAT | O_RDWR, 0600);
	write(fd, "1", 1);
	fchmod(fd, 0640);
	close(fd);
	rename("made", "d/kept");
	syscall(SYS_renameat2, dir, "kept", AT_FDCWD, "other", 2);
	symlink("d", "link");
	close(open("link/through", O_CREAT | O_EXCL | O_WRONLY, 0600));
	link("d/through", "hard");
	unlinkat(dir, "through", 0);
	truncate("hard", 3);
	chmod("hard", 0600);
	utimensat(AT_FDCWD, "hard", NULL, 0);
	mkdir("gone", 0700);
	rmdir("gone");
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) {
		char self[64];
		sprintf(self, "/proc/self/fd/%d", fd);
		linkat(AT_FDCWD, self, AT_FDCWD, "unnamed", AT_SYMLINK_FOLLOW);
	}
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(server, (struct sockaddr *)&address, sizeof(address));
	mknod("pipe", S_IFIFO | 0600, 0);
	open("missing/x", O_RDONLY);
	pthread_create(&thread, NULL, in_thread, "threads");
	pthread_join(thread, NULL);
	child = fork();
	if (!child) {
		chdir("d");
		close(creat("childs", 0600));
		unlink("childs");
		fchdir(dir);
		close(open("../parents", O_CREAT | O_EXCL | O_WRONLY, 0600));
		execl("/bin/sh", "sh", "-c", "set -C; : >shells; exit 3", NULL);
	}
	waitpid(child, NULL, 0);
	return 7;
}
"""

ANSWER: set[Change] = {
    (Op.MKDIR, b"d", None),
    (Op.CREATE, b'd/quote"new\nline\xff<>', None),
    (Op.WRITE, b'd/quote"new\nline\xff<>', None),
    (Op.CREATE, b"made", None),
    (Op.WRITE, b"made", None),
    (Op.CHMOD, b"made", None),
    (Op.RENAME, b"made", b"d/kept"),
    (Op.RENAME, b"d/kept", b"other"),
    (Op.SYMLINK, b"link", b"d"),
    (Op.CREATE, b"d/through", None),
    (Op.WRITE, b"d/through", None),
    (Op.LINK, b"hard", b"d/through"),
    (Op.DELETE, b"d/through", None),
    (Op.TRUNCATE, b"hard", None),
    (Op.CHMOD, b"hard", None),
    (Op.UTIME, b"hard", None),
    (Op.MKDIR, b"gone", None),
    (Op.DELETE, b"gone", None),
    (Op.LINK, b"unnamed", None),
    (Op.BIND, b"sock", None),
    (Op.CREATE, b"pipe", None),
    (Op.CREATE, b"threads", None),
    (Op.WRITE, b"threads", None),
    (Op.TRUNCATE, b"d/childs", None),
    (Op.WRITE, b"d/childs", None),
    (Op.DELETE, b"d/childs", None),
    (Op.CREATE, b"parents", None),
    (Op.WRITE, b"parents", None),
    (Op.CREATE, b"d/shells", None),
    (Op.WRITE, b"d/shells", None),
}

OPTIONS = [
    "-f",
    "-f -y",
    "-f -yy",
    "-f -t",
    "-f -tt -T",
    "-f -ttt -y",
    "-f -r",
    "-f -x",
    "-f -xx -y",
    "-f -v",
    "-f -q",
    "-f -s 4 -y",
    "-f -i -n",
    "-f -Y",
    "-f -X verbose",
    "-f -X raw",
    "-f -tt -r",
    "-ff -ttt",
    "-ff -y",
    "-ff",
    "-f --seccomp-bpf -e trace=%file,%desc,%process,%network",
]


@pytest.fixture(scope="module")
def tracee(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compile the program once."""
    return compiled(TRACEE, tmp_path_factory.mktemp("tracee"), "-pthread")


@pytest.mark.parametrize("options", OPTIONS)
def test_the_declared_answer(options: str, tracee: str, tmp_path: Path) -> None:
    """Every way to write the log tells the same changes, at the same resolved paths."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "other").touch()
    strace(options.split(), [tracee], work, tmp_path / "log")
    files = sorted(tmp_path.glob("log*"))
    log, events = read_files(files, cwd=bytes(work))

    assert log.not_understood == 0, log.not_understood_first
    assert log.relative_paths == 0
    assert changes(events, work) == ANSWER
    images = [event for event in events if isinstance(event, ProcessStarted)]
    assert [image.exe for image in images] == [tracee.encode()] * 2 + [b"/bin/sh"]
    assert images[2].argv[0] == b"sh"
    assert images[2].previous == images[1].process
    assert images[1].parent == images[2].parent == images[0].process
    ends = {event.process: event.status for event in events if isinstance(event, ProcessExited)}
    assert ends == {images[0].process: 7 << 8, images[2].process: 3 << 8}


def test_flags_and_outcomes(tracee: str, tmp_path: Path) -> None:
    """What is not in the answer above: how a call ended, and details of how it was made."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "other").touch()
    strace(["-f", "-y"], [tracee], work, tmp_path / "log")
    _, events = read_files([tmp_path / "log"])
    found = {
        (event.op, event.path.removeprefix(bytes(work) + b"/")): event
        for event in events
        if isinstance(event, Access)
    }
    assert found[Op.READ, b"missing/x"].outcome is Outcome.MISSING
    assert found[Op.READ, b"missing/x"].errno == 2
    assert AccessFlag.EXCHANGE in found[Op.RENAME, b"d/kept"].flags
    assert AccessFlag.EXCHANGE not in found[Op.RENAME, b"made"].flags
    assert AccessFlag.TMPFILE in found[Op.LINK, b"unnamed"].flags
    assert AccessFlag.EXCLUSIVE in found[Op.CREATE, b"threads"].flags
    assert AccessFlag.EXCLUSIVE not in found[Op.CREATE, b"made"].flags
    assert AccessFlag.DIRECTORY in found[Op.DELETE, b"gone"].flags
    assert found[Op.CREATE, b"made"].before is not None
    assert found[Op.RENAME, b"d/kept"].before2 is None
