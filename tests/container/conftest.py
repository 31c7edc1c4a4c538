"""The machines of all tests of this folder, with imptrace built and installed on them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from machine import Machine

PROJECT = Path(__file__).parents[2]
PYTHON = "/opt/imptrace/bin/python"
SOURCES = (
    *("pyproject.toml", "setup.py", "README.md", "LICENSE"),
    *("imptrace", "tracer", "db", "nix", "docs"),
)


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Boot a machine with imptrace on it."""
    with _booted("IMPTRACE_TEST_TREE", tmp_path_factory) as machine:
        yield machine


@pytest.fixture
def own_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Boot one that no other test has used."""
    with _booted("IMPTRACE_TEST_TREE", tmp_path_factory) as machine:
        yield machine


@pytest.fixture(scope="session")
def newer_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Boot another, with a newer systemd."""
    with _booted("IMPTRACE_TEST_NEWER_TREE", tmp_path_factory) as machine:
        yield machine


@pytest.fixture(scope="session")
def serving_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Boot one with services of Debian and programs for backups on it; none of them runs yet."""
    with _booted("IMPTRACE_TEST_TREE", tmp_path_factory, over=_services()) as machine:
        yield machine


@pytest.fixture
def own_serving_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Boot such a one for a single test, which may reboot it: nothing that runs delays that."""
    with _booted("IMPTRACE_TEST_TREE", tmp_path_factory, over=_services()) as machine:
        yield machine


def _services() -> Path:
    layer = os.environ.get("IMPTRACE_TEST_SERVICES")
    if not layer:
        pytest.skip("needs the layer that tests/container/services.sh makes")
    return Path(layer)


@contextmanager
def _booted(
    variable: str, tmp_path_factory: pytest.TempPathFactory, over: Path | None = None
) -> Iterator[Machine]:
    tree = os.environ.get(variable)
    if not tree:
        pytest.skip(f"needs the tree that tests/container/run.sh makes and names in {variable}")
    if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
        pytest.skip("needs root and systemd-nspawn")
    console = tmp_path_factory.mktemp("machine") / "console"
    options = [f"--bind={device}" for device in Path("/dev").glob("loop*") if not device.is_dir()]
    options += ["--capability=CAP_BPF,CAP_PERFMON,CAP_SYSLOG", "--system-call-filter=bpf"]
    with Machine(Path(tree), console, over=over, options=options) as booted:
        _install(booted)
        yield booted


def _install(machine: Machine) -> None:
    there = [name for name in SOURCES if (PROJECT / name).exists()]
    packed = subprocess.run(
        ["tar", "-C", PROJECT, "--exclude=*.so", "--exclude=__pycache__", "-czf", "-", *there],
        capture_output=True,
        check=True,
    )
    machine.send(packed.stdout, "/tmp/imptrace.tar.gz")
    machine.sh(
        "mkdir -p /tmp/imptrace; tar -C /tmp/imptrace -xzf /tmp/imptrace.tar.gz;"
        "/opt/imptrace/bin/pip install --quiet --no-index --no-deps --no-build-isolation"
        " --disable-pip-version-check --root-user-action=ignore /tmp/imptrace",
        timeout=180,
    )
    _install_bpf(machine)


def _install_bpf(machine: Machine) -> None:
    """Have the bpf recorder there as well, as it was built here: the trees have no clang."""
    built = next((PROJECT / "tracer").glob("_bpf.*.so"), None)
    place = machine.run(PYTHON, "-c", "import imptrace.tracer; print(*imptrace.tracer.__path__)")
    ask = "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"
    suffix = machine.run(PYTHON, "-c", ask).stdout.strip()
    if built is None or not built.name.endswith(suffix):
        return
    machine.send(built.read_bytes(), f"{place.stdout.strip()}/{built.name}")
    linked = subprocess.run(["ldd", built], capture_output=True, check=True, text=True).stdout
    for line in linked.splitlines():
        words = line.split()
        if len(words) > 2 and words[0].startswith(("libbpf", "libelf", "libz")):
            machine.send(Path(words[2]).read_bytes(), f"/usr/lib/{words[0]}")
