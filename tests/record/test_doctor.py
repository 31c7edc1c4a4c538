"""`imptrace doctor` tries what it speaks of."""

import json
import subprocess
import sys
from pathlib import Path

import forked
from forked import IMPTRACE


def doctor(*words: str) -> forked.Done:
    """Run the command."""
    return forked.run_text("doctor", *words)


def test_all_is_well(tmp_path: Path) -> None:
    """The recorder works where these tests run, and nothing is recorded yet."""
    result = doctor("--db", str(tmp_path / "runs.db"))
    assert result.returncode == 0
    assert "ok       recorder notify" in result.stdout
    assert "the first run makes it" in result.stdout
    assert not (tmp_path / "runs.db").exists()


def test_broken_database(tmp_path: Path) -> None:
    """A check that finds something makes the exit code 1 and says what to do."""
    (tmp_path / "runs.db").write_text("no database\n" * 100)
    result = doctor("--db", str(tmp_path / "runs.db"), "--json")
    assert result.returncode == 1
    answer = json.loads(result.stdout)
    assert answer["schema"] == "imptrace.doctor/1"
    (broken,) = [each for each in answer["findings"] if each["health"] == "broken"]
    assert (broken["name"], bool(broken["remedy"])) == ("database", True)


def test_recorder_that_the_kernel_refuses(tmp_path: Path) -> None:
    """Where neither bpf nor seccomp is allowed, that is said with a way out, by run as well."""
    forbid = (
        "import ctypes, os, struct, sys\n"
        "code = [(0x20, 0, 0, 0), (0x15, 1, 0, 317), (0x15, 0, 1, 321),\n"
        "        (6, 0, 0, 0x50001), (6, 0, 0, 0x7fff0000)]\n"
        "packed = b''.join(struct.pack('HBBI', *row) for row in code)\n"
        "buffer = ctypes.create_string_buffer(packed)\n"
        "program = struct.pack('HxxxxxxQ', len(code), ctypes.addressof(buffer))\n"
        "libc = ctypes.CDLL(None)\n"
        "assert not libc.prctl(38, 1, 0, 0, 0) and not libc.prctl(22, 2, program)\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    inside = [sys.executable, "-c", forbid, str(IMPTRACE)]
    asked = subprocess.run([*inside, "doctor"], capture_output=True, check=False, text=True)
    assert asked.returncode == 1
    assert "broken   recorder notify" in asked.stdout
    words = [*inside, "run", "--recorder", "notify", "--db", str(tmp_path / "x.db"), "true"]
    run = subprocess.run(words, capture_output=True, check=False, text=True)
    assert run.returncode == 125
    assert run.stderr.startswith("imptrace: the kernel refuses the notify recorder")
    assert run.stderr.count("\n") == 1
    # Left to choose, it takes the next one that works, and says so.
    assert "ok       recorder ptrace" in asked.stdout
    words = [*inside, "run", "--db", str(tmp_path / "x.db"), "cat", "/etc/hostname"]
    run = subprocess.run(words, capture_output=True, check=False, text=True)
    assert run.returncode == 0
    assert "recording with ptrace instead" in run.stderr
    assert "seen by the recorder ptrace" in run.stderr
