"""Programs that shut themselves in, and programs that trace others, work and are recorded."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_programs import Recorder, needs_root

from imptrace.db.records import Effect
from imptrace.tracer.events import AccessFlag, Op

SANDBOX = ("bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid")


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where a program is absent, naming it."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


@needs("bwrap")
def test_bubblewrap(record: Recorder, work: Path) -> None:
    """The host's files are seen by the host's names; what only the sandbox has is marked."""
    hidden = work / "hidden"
    hidden.mkdir()
    script = "echo x > seen; echo x > hidden/private; cat hidden/private /proc/self/status"
    result = record(*SANDBOX, "--tmpfs", str(hidden), "sh", "-c", script, cwd=work)
    assert result.stdout.startswith(b"x\n")
    paths = record.paths(work)
    assert paths[os.fsencode(work / "seen")].effect is Effect.CREATED
    private = paths[os.fsencode(hidden / "private")]
    assert AccessFlag.PRIVATE_MOUNT in private.flags
    assert private.effect is Effect.UNCHANGED


@needs("strace")
def test_strace_inside(record: Recorder, work: Path) -> None:
    """A tracer works inside, and what it traces is recorded all the same."""
    result = record("strace", "-f", "-o", "log", "sh", "-c", "echo > made", cwd=work)
    assert result.returncode == 0
    assert b"made" in (work / "log").read_bytes()
    assert record.paths(work)[os.fsencode(work / "made")].effect is Effect.CREATED


@needs("gdb")
def test_gdb_inside(record: Recorder, work: Path) -> None:
    """A debugger can stop a recorded program at a breakpoint and let it go on."""
    commands = ["-ex", "catch syscall write", "-ex", "run", "-ex", "delete", "-ex", "continue"]
    words = ("gdb", "-q", "-nx", "-batch", *commands, "--args", "sh", "-c", "echo out > made")
    result = record(*words, cwd=work)
    assert b"Catchpoint 1 (call to syscall write" in result.stdout
    assert b"exited normally" in result.stdout
    assert record.paths(work)[os.fsencode(work / "made")].effect is Effect.CREATED


@needs_root
@needs("sudo")
def test_sudo_keeps_its_privilege_under_root(record: Recorder) -> None:
    """Root needs no no_new_privs, so that setuid programs work inside."""
    words = ("setpriv", "--reuid", "65534", "--clear-groups", "sudo", "-n", "true")
    result = record(*words)
    # nobody is not in sudoers: that sudo can say so proves that it became root.
    assert b"effective uid" not in result.stderr
    assert b"password is required" in result.stderr or b"not allowed" in result.stderr


@needs("chromium")
def test_chromium(record: Recorder, work: Path) -> None:
    """A browser with its own seccomp sandbox draws a page as ever."""
    quiet = ("--disable-gpu", "--no-first-run", "--disable-sync", "--disable-component-update")
    places = (f"--user-data-dir={work}/profile", f"--screenshot={work}/x.png")
    words = ("chromium", "--headless", "--no-sandbox", *quiet, *places, "file:///etc/hostname")
    assert record(*words, cwd=work).returncode == 0
    assert record.paths(work)[os.fsencode(work / "x.png")].effect is Effect.CREATED


def test_listener_of_its_own(record: Recorder, compiled: Callable[..., Path]) -> None:
    """The kernel allows one listener to a program: it is told so, and the user is warned."""
    result = record(str(compiled("listener")), options=["--recorder", "notify"])
    assert result.stdout == b"Device or resource busy\n"
    assert "listener" in dict(record.details().run.warnings)


@needs("gpg")
def test_keyring_agent(record: Recorder, work: Path) -> None:
    """gpg-agent makes itself unreadable; as root it is recorded, and the key is made."""
    home = work / "gnupg"
    home.mkdir(mode=0o700)
    script = (
        "gpg --batch --quiet --passphrase '' --quick-gen-key test default default never; "
        "gpgconf --kill gpg-agent"
    )
    result = record(
        "sh", "-c", script, options=["--wait", "children"],
        env=os.environ | {"GNUPGHOME": str(home)},
    )  # fmt: skip
    assert result.returncode == 0
    keys = [path for path in record.paths(home) if b"private-keys-v1.d/" in path]
    assert any(record.paths(home)[path].effect is Effect.CREATED for path in keys)
    assert Op.BIND in {op for seen in record.paths(home).values() for op in seen.ops}
