"""As an ordinary user, and for one: what can be read, what is said about the rest."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from recorded_programs import (
    IMPTRACE,
    NOBODY,
    PATIENCE,
    Recorder,
    as_ordinary_user,
    needs_root,
)

from imptrace.db.records import Effect

pytestmark = needs_root
DEFAULT_PATH = "/usr/bin:/bin"


def test_default_database_is_the_users_own(open_work: Path) -> None:
    """Below ~/.local/state, readable by nobody else."""
    home = open_work / "home"
    result = as_ordinary_user([str(IMPTRACE), "run", "sh", "-c", "echo > made"], home)
    assert result.returncode == 0
    assert b"stored in ~/.local/state/imptrace/imptrace.db" in result.stderr
    database = home / ".local/state/imptrace/imptrace.db"
    assert database.stat().st_mode & 0o777 == 0o600
    assert Recorder(database).paths(home)[os.fsencode(home / "made")].effect is Effect.CREATED


def test_agent_that_hides(open_work: Path) -> None:
    """gpg-agent cannot be read by its own user: it works, its calls are counted, that is said."""
    # The name of the test is part of a socket's, which must not be longer than 107 bytes.
    home = open_work / "home"
    (home / "gnupg").mkdir(mode=0o700)
    os.chown(home / "gnupg", NOBODY.pw_uid, NOBODY.pw_gid)
    record = Recorder(open_work / "runs.db")
    script = (
        "gpg --batch --quiet --passphrase '' --quick-gen-key test default default never; "
        "gpg --list-secret-keys --with-colons | grep -c ^sec; gpgconf --kill gpg-agent"
    )
    words = record.command("sh", "-c", script, options=["--wait", "children"])
    result = as_ordinary_user(words, home)
    assert result.stdout == b"1\n", result.stderr
    run = record.details().run
    assert run.unseen > 0
    assert b"calls were seen without a path" in result.stderr
    assert "unreadable" in dict(run.warnings)


def test_hiding_is_told_while_the_program_runs(open_work: Path) -> None:
    """At once and with the way out: nobody uses a program for an hour and hears it then."""
    home = open_work / "home"
    script = (
        "import ctypes, sys; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0);"
        "open('hidden', 'w').close(); sys.stdin.read()"
    )
    words = Recorder(open_work / "runs.db").command(sys.executable, "-c", script)
    with subprocess.Popen(
        [
            "setpriv",
            f"--reuid={NOBODY.pw_uid}",
            f"--regid={NOBODY.pw_gid}",
            "--clear-groups",
            *words,
        ],
        cwd=home,
        env={"HOME": str(home), "PATH": DEFAULT_PATH},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        assert process.poll() is None
        process.communicate(timeout=PATIENCE)
    assert b"made itself unreadable" in told
    assert b"sudo imptrace run --user" in told


def test_ssh_agent(open_work: Path) -> None:
    """ssh-agent, which hides as well, serves its keys."""
    home = open_work / "home"
    script = (
        "eval $(ssh-agent) >/dev/null; ssh-keygen -q -t ed25519 -N '' -f key; "
        "ssh-add -q key; ssh-add -l | wc -l; ssh-agent -k >/dev/null"
    )
    record = Recorder(open_work / "runs.db")
    result = as_ordinary_user(record.command("sh", "-c", script), home)
    assert result.stdout == b"1\n", result.stderr
    assert record.paths(home)[os.fsencode(home / "key")].effect is Effect.CREATED


def test_setuid_program_is_warned_about(open_work: Path) -> None:
    """Without root a setuid program loses its privilege, and the way out is named."""
    record = Recorder(open_work / "runs.db")
    as_ordinary_user(record.command("sh", "-c", "sudo -n true; true"), open_work / "home")
    (text,) = [text for code, text in record.details().run.warnings if code == "setuid"]
    assert "sudo imptrace run --user" in text


def test_setgid_program_is_warned_about(open_work: Path) -> None:
    """So does a setgid program; `recommend` says it too."""
    program = open_work / "program"
    shutil.copyfile("/bin/true", program)
    os.chown(program, 0, 0)
    program.chmod(0o2755)
    record = Recorder(open_work / "runs.db")
    as_ordinary_user(record.command("sh", "-c", f"{program}; true"), open_work / "home")
    assert [code for code, _ in record.details().run.warnings] == ["setgid"]
    said = subprocess.run(
        [str(IMPTRACE), "recommend", "latest", "--db", str(open_work / "runs.db")],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert "a setgid program ran without its group" in said


@pytest.mark.parametrize("recorder", ["notify", "ptrace"])
def test_who_is_asked_over_the_bus_is_remarked(record: Recorder, work: Path, recorder: str) -> None:
    """`run` says that others may have written for the program."""
    bus = Path("/run/user/4294967000/bus")
    bus.parent.mkdir(parents=True)
    script = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(bus))
            server.listen()
            result = record(
                sys.executable, "-c", script, str(bus), options=["--recorder", recorder], cwd=work
            )
    finally:
        shutil.rmtree(bus.parent)
    assert result.returncode == 0
    assert b"connected to the session bus" in result.stderr
    assert "bus" in dict(record.details().run.warnings)


def test_run_as_a_user(record: Recorder, open_work: Path) -> None:
    """--user: identity, groups and variables are the user's, the recording is root's."""
    script = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; echo > made"
    result = record("sh", "-c", script, options=["--user", "nobody"], cwd=open_work)
    ids = f"{NOBODY.pw_uid}\n{NOBODY.pw_gid}\n"
    groups = " ".join(map(str, os.getgrouplist("nobody", NOBODY.pw_gid)))
    assert result.stdout.decode() == f"{ids}{groups}\n{NOBODY.pw_dir} nobody nobody\n"
    details = record.details()
    assert (details.run.user, details.run.uid) == ("nobody", NOBODY.pw_uid)
    assert {process.uid for process in details.processes} == {NOBODY.pw_uid}
    after = record.paths(open_work)[os.fsencode(open_work / "made")].after
    assert after is not None
    assert after.uid == NOBODY.pw_uid


@pytest.mark.parametrize("recorder", ["notify", "ptrace"])
def test_nothing_of_roots_for_another_user(open_work: Path, recorder: str) -> None:
    """Neither its environment, nor what it has open, nor the terminal of its session."""
    record = Recorder(open_work / "runs.db")
    script = (
        "echo $(env | cut -d= -f1); [ -e /proc/self/fd/7 ] || echo closed; "
        "[ $(ps -o sid= -p $$) = $$ ] && echo session; (: </dev/tty) || echo no terminal"
    )
    options = ["--recorder", recorder, "--user", "nobody", "--keep-env", "WANTED"]
    words = record.command("sh", "-c", script, options=options)
    secrets = {"AWS_SECRET": "x", "LD_LIBRARY_PATH": "/root/lib", "XDG_DATA_HOME": "/root/x"}
    result = subprocess.run(
        ["bash", "-c", 'exec 7</etc/shadow; exec "$@"', "bash", *words],
        capture_output=True, check=True, timeout=PATIENCE, cwd=open_work,
        env=secrets | {"PATH": DEFAULT_PATH, "WANTED": "1", "LC_TIME": "C"},
    )  # fmt: skip
    names, *rest = result.stdout.decode().splitlines()
    assert set(names.split()) - {"PWD", "SHLVL", "_", "OLDPWD"} == {
        "HOME", "LC_TIME", "LOGNAME", "PATH", "SHELL", "USER", "WANTED"
    }  # fmt: skip
    assert rest == ["closed", "session", "no terminal"]


def test_keep_env_is_for_another_user(record: Recorder) -> None:
    """One's own programs get all of it."""
    result = record("true", options=["--keep-env", "HOME"])
    assert result.returncode == 2
    assert b"--user" in result.stderr


def test_signals_reach_a_session_of_its_own(open_work: Path) -> None:
    """Sent to the group of imptrace, which is not that of the program: passed on, once."""
    script = "trap 'echo got' TERM; echo ready; for i in 1 2 3 4 5 6 7 8; do sleep .1; done"
    record = Recorder(open_work / "runs.db")
    words = record.command("sh", "-c", script, options=["-q", "--user", "nobody"])
    with subprocess.Popen(
        words, cwd=open_work, stdout=subprocess.PIPE, start_new_session=True
    ) as imptrace:
        assert imptrace.stdout is not None
        assert imptrace.stdout.readline() == b"ready\n"
        os.killpg(imptrace.pid, signal.SIGTERM)
        assert imptrace.stdout.read() == b"got\n"


def test_the_default_database_behind_a_closed_directory(open_work: Path) -> None:
    """One line that says so, whatever is asked; a program runs all the same."""
    closed = open_work / "home/.local/state"
    closed.mkdir(parents=True)
    closed.chmod(0o000)
    for words in (["runs"], ["files", "sh"], ["recommend", "sh"], ["run", "-q", "true"]):
        done = as_ordinary_user([str(IMPTRACE), *words], open_work / "home")
        assert done.returncode == 125, words
        assert done.stderr.splitlines()[-1].endswith(b"Permission denied"), words
        assert b"internal error" not in done.stderr, words


@pytest.mark.parametrize("may_be_traced", [True, False])
def test_signals_of_what_may_not_be_traced(open_work: Path, *, may_be_traced: bool) -> None:
    """A call of its can fail when a signal comes, which is said; others are kept from that."""
    shell = open_work / "shell"
    shutil.copy("/bin/dash", shell)
    # Who may not read a program may not trace it.
    shell.chmod(0o755 if may_be_traced else 0o711)
    record = Recorder(open_work / "runs.db")
    words = record.command(str(shell), "-c", "trap : USR1; kill -USR1 $$; exit 7")
    result = as_ordinary_user(words, open_work / "home")
    assert result.returncode == 7, result.stderr
    assert ("signals" in dict(record.details().run.warnings)) != may_be_traced
    told = b"a process that handles signals may not be traced here" in result.stderr
    assert told != may_be_traced
