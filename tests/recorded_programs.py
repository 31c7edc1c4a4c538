"""What tests of recording share: running the installed command, asking the database."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forked
import pytest
from forked import IMPTRACE, PATIENCE

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import PathRecord, RunDetails
from imptrace.tracer.bpf.recorder import load_machine
from imptrace.tracer.recorder import RecorderOptions, RecorderUnavailableError

NOBODY = pwd.getpwnam("nobody")


@dataclass(frozen=True)
class Recorder:
    """Runs programs under imptrace with a database of their own."""

    database: Path

    def command(self, *words: str | bytes, options: Sequence[str] = ()) -> list[str | bytes]:
        """Give the command line that records `words`."""
        return [str(IMPTRACE), "run", "--db", str(self.database), *options, "--", *words]

    def __call__(
        self, *words: str | bytes, options: Sequence[str] = (), **settings: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Record a program; its output is captured."""
        return forked.run("run", "--db", self.database, *options, "--", *words, **settings)

    def details(self, run_id: int | None = None) -> RunDetails:
        """Ask for a run, by default the newest, with all that belongs to it."""
        with reading(str(self.database)) as engine:
            return queries.run_details(engine, run_id or queries.resolve_run(engine, "latest"))

    def paths(self, below: Path | bytes = b"/") -> dict[bytes, PathRecord]:
        """Ask for the paths of the newest run at or below a directory."""
        top = os.fsencode(below).rstrip(b"/")
        return {
            record.path: record
            for record in self.details().paths
            if record.path == top or record.path.startswith(top + b"/")
        }


class Installed(Recorder):
    """Starts the installed command for each program, as users do."""

    def __call__(
        self, *words: str | bytes, options: Sequence[str] = (), **settings: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Record a program; its output is captured."""
        given = {"stdin": subprocess.DEVNULL, "timeout": PATIENCE} | settings
        return subprocess.run(
            self.command(*words, options=options), capture_output=True, check=False, **given
        )


@pytest.fixture
def record(tmp_path: Path) -> Recorder:
    """Record programs into a database of this test."""
    return Recorder(tmp_path / "runs.db")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Give an empty directory for the traced program."""
    directory = tmp_path / "work"
    directory.mkdir()
    return directory


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compile a C tracee of tests/tracer/tracees."""
    directory = tmp_path_factory.mktemp("tracees")

    def build(name: str, *options: str) -> Path:
        source = Path(__file__).parent / "tracer/tracees" / f"{name}.c"
        program = directory / "-".join(
            [name, *(option.strip("-").replace("/", "_") for option in options)]
        )
        if not program.exists():
            subprocess.run(
                ["gcc", "-O1", "-pthread", "-o", str(program), str(source), *options],
                check=True,
                timeout=PATIENCE,
            )
        return program

    return build


@pytest.fixture
def open_work(tmp_path: Path) -> Iterator[Path]:
    """Give a directory that an ordinary user may use, with a home in it.

    Not below pytest's own, which each session that root starts closes to everybody else.
    """
    directory = Path(tempfile.mkdtemp(prefix="imptrace-open-"))
    (directory / "home").mkdir()
    if os.geteuid() == 0:
        for place in [tmp_path, *tmp_path.parents][:-1]:
            place.chmod(place.stat().st_mode | 0o011)
        for place in (directory, directory / "home"):
            place.chmod(0o755)
            os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    yield directory
    shutil.rmtree(directory)


def as_ordinary_user(
    words: Sequence[str | bytes], home: Path, patience: float = PATIENCE
) -> subprocess.CompletedProcess[bytes]:
    """Run imptrace itself as an ordinary user: root as `nobody`, anyone else as themselves."""
    drop = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    variables = {"HOME": str(home), "PATH": os.environ["PATH"], "GNUPGHOME": str(home / "gnupg")}
    return subprocess.run(
        [*(drop if os.geteuid() == 0 else ()), *words],
        env=variables,
        cwd=home,
        capture_output=True,
        check=False,
        timeout=patience,
    )


def _bpf_refusal() -> str | None:
    try:
        load_machine(RecorderOptions()).close()
    except RecorderUnavailableError as error:
        return str(error)
    return None


needs_bpf = pytest.mark.skipif(
    _bpf_refusal() is not None, reason="the bpf recorder needs root, and to be built"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
