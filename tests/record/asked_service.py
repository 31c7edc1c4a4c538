"""What tests of the machine's recorder share: one that runs, and an ordinary user who asks it."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from recorded_programs import IMPTRACE, NOBODY

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import RunDetails
from imptrace.facts.answering import ENVIRONMENT

PATIENCE = 60
DROP = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")


@dataclass
class Service:
    """A recorder of the machine that runs."""

    process: subprocess.Popen[str]
    place: Path
    home: Path

    @property
    def database(self) -> Path:
        """Where users store their runs."""
        return self.home / "runs.db"

    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            ENVIRONMENT: str(self.place),
            "IMPTRACE_DB": str(self.database),
        }

    def command(self, *words: str) -> list[str]:
        return [*DROP, str(IMPTRACE), *words]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Have an ordinary user do something with imptrace."""
        return subprocess.run(
            self.command(*words),
            env=self.environ(),
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def details(self, run: int | None = None) -> RunDetails:
        with reading(str(self.database)) as engine:
            return queries.run_details(engine, run or max(each.id for each in queries.runs(engine)))


@contextmanager
def serving(place: Path, *options: str) -> Iterator[Service]:
    """Record the machine, as the service does."""
    home = place / "home"
    home.mkdir(exist_ok=True)
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    words = ("--db", str(place / "machine.db"), "--socket", str(place / "socket"))
    with subprocess.Popen(
        [str(IMPTRACE), "watch", *words, *options], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("imptrace: watching ")
        try:
            yield Service(process, place / "socket", home)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def everywhere() -> Iterator[Path]:
    """Give a directory that any user may search, and that no boot wipes."""
    place = Path(tempfile.mkdtemp(prefix="imptrace-test-", dir="/var/lib"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def place(everywhere: Path) -> Path:
    """Give one such to a test."""
    made = Path(tempfile.mkdtemp(dir=everywhere))
    made.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def service(everywhere: Path) -> Iterator[Service]:
    """One for the tests that do it no harm."""
    with serving(everywhere) as found:
        yield found
