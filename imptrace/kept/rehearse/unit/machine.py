"""A manager of systemd as PID 1 of the copy, with one unit, and what is done with it.

Run inside of the copy, as a program that is recorded (imptrace.kept.rehearse.unit.order). The
manager gets namespaces of its own for processes, control groups, names and messages, devices
that are nobody's hardware, and no right to change what the copy shares with the machine: its
clock, its modules and, unless it has a network of its own, its network.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from imptrace.kept import kernel
from imptrace.kept.rehearse.unit.files import SAID, UNIT_DIRECTORY
from imptrace.kept.rehearse.unit.order import TARGET, UnitOrder, read_order

_CGROUPS = "/sys/fs/cgroup"
_PRIVATE_SOCKET = "/run/systemd/private"
_BOOT_SECONDS, _STEP = 30.0, 0.05
_LONGEST_WORK, _PAUSE, _BUSY = 60.0, 0.25, 0.1
"""A unit that uses more than this part of a processor does not rest yet."""
_UNMET = 1
_SIGNAL = 128
_KILLED, _DUMPED = "2", "3"
"""Of ExecMainCode, as waitid(2) has them."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fuse", "net/tun")
_LINKS = {
    "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx",
}  # fmt: skip
_SILENT = ("console", "kmsg")
_READ_ONLY = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs")
_LAST_LINES = 20


def main() -> NoReturn:
    """Boot, use the unit, and exit as it did."""
    exchange = Path(sys.argv[1])
    order = read_order(exchange)
    command = order.first if sys.argv[2] == "first" else order.again
    said = exchange / SAID
    said.write_bytes(b"")
    manager = _boot(exchange, order)
    try:
        code, why = _use(order, manager, command)
    finally:
        os.kill(manager, signal.SIGKILL)
        os.waitpid(manager, 0)
    lines = said.read_bytes().decode(errors="backslashreplace").splitlines()
    sys.stderr.writelines(f"{line}\n" for line in [*lines[-_LAST_LINES:], *why])
    sys.exit(code)


def _boot(exchange: Path, order: UnitOrder) -> int:
    """Start the manager; answer with its process id."""
    _enter_cgroup()
    kernel.unshare(
        kernel.CLONE_NEWPID
        | kernel.CLONE_NEWUTS
        | kernel.CLONE_NEWIPC
        | (kernel.CLONE_NEWNET if order.own_network else 0)
    )
    child = os.fork()
    if not child:
        try:
            kernel.die_with_parent()
            _become_manager(exchange, order)
        except OSError as error:
            sys.stderr.write(f"the manager cannot be started: {error}\n")
        finally:
            os._exit(1)
    return child


def _enter_cgroup() -> None:
    """Give the manager a tree of its own, below the scope that we run in."""
    kernel.mount(b"cgroup2", _CGROUPS.encode(), b"cgroup2", 0)
    own = next(
        line.removeprefix("0::")
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        if line.startswith("0::")
    )
    directory = Path(f"{_CGROUPS}{own}", f"start-{os.getpid()}")
    directory.mkdir()
    (directory / "cgroup.procs").write_text("0")
    kernel.unshare(kernel.CLONE_NEWCGROUP)
    kernel.unmount(_CGROUPS.encode())


def _become_manager(exchange: Path, order: UnitOrder) -> None:
    """Never comes back. Raises OSError."""
    if os.getpid() != 1:
        # A manager that ends asks all processes that it sees to end too.
        raise OSError(0, "no namespace of its own for processes", "unshare")
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount(b"", b"/", b"", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount(b"proc", b"/proc", b"proc", 0)
    for path in map(str.encode, _READ_ONLY):
        with suppress(OSError):
            kernel.mount(path, path, b"", kernel.MS_BIND)
            flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY
            kernel.mount(path, path, b"", flags)
    kernel.mount(b"cgroup2", _CGROUPS.encode(), b"cgroup2", 0)
    _make_devices()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    dropped = [*kernel.OF_THE_MACHINE.values()]
    dropped += [] if order.own_network else [kernel.CAP_NET_ADMIN]
    for capability in dropped:
        kernel.drop_capability(capability)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(order.systemd, [order.systemd, f"--unit={TARGET}"], _environment(exchange))


def _environment(exchange: Path) -> dict[str, str]:
    nowhere = str(exchange / "nowhere")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "container": "imptrace",
        "SYSTEMD_UNIT_PATH": str(exchange / UNIT_DIRECTORY),
        "SYSTEMD_GENERATOR_PATH": nowhere,
        "SYSTEMD_ENVIRONMENT_GENERATOR_PATH": nowhere,
        "SYSTEMD_LOG_TARGET": "null",
    }


def _make_devices() -> None:
    """Lay a /dev without hardware over that of the machine."""
    made = b"/run/imptrace-devices"
    os.mkdir(made)
    kernel.mount(b"tmpfs", made, b"tmpfs", 0, b"mode=755")
    for name in (*_DEVICES, *_SILENT):
        source = f"/dev/{os.path.basename(os.devnull)}" if name in _SILENT else f"/dev/{name}"
        if os.path.exists(source):
            target = made + f"/{name}".encode()
            os.makedirs(os.path.dirname(target), exist_ok=True)
            open(target, "wb").close()
            kernel.mount(source.encode(), target, b"", kernel.MS_BIND)
    for place, kind, data in (
        (b"/pts", b"devpts", b"newinstance,ptmxmode=0666,mode=620"),
        (b"/shm", b"tmpfs", b"mode=1777"),
        (b"/mqueue", b"mqueue", b""),
    ):
        os.mkdir(made + place)
        with suppress(OSError):
            kernel.mount(kind, made + place, kind, 0, data)
    for link, target_of in _LINKS.items():
        os.symlink(target_of, os.fsdecode(made) + f"/{link}")
    kernel.mount(made, b"/dev", b"", kernel.MS_MOVE)


def _use(order: UnitOrder, manager: int, command: str | None) -> tuple[int, list[str]]:
    """Start the unit, use it, stop it; tell its exit code, and what there is to say of it."""
    _await(manager)
    for unit in order.starts[:-1]:
        _systemctl(order, "start", "--", unit)
    failed = _systemctl(order, "start", "--", order.unit).returncode
    shown = _shown(order)
    if failed or shown.get("ActiveState") == "failed":
        return _code(shown), [*_words(shown)]
    if shown.get("ConditionResult") == "no" or shown.get("AssertResult") == "no":
        return _UNMET, ["a condition of the unit is not met"]
    code = 0
    if command is not None:
        code = subprocess.run(["sh", "-c", command], check=False).returncode
    _let_run(order, manager)
    shown = _shown(order)
    if shown.get("ActiveState") == "failed":
        return _code(shown), [*_words(shown)]
    for unit in reversed(order.starts):
        _systemctl(order, "stop", "--", unit)
    return (code if code >= 0 else _SIGNAL - code), []


def _await(manager: int) -> None:
    """Wait until the manager answers."""
    end = time.monotonic() + _BOOT_SECONDS
    while not os.path.exists(_PRIVATE_SOCKET):
        if os.waitpid(manager, os.WNOHANG)[0] or time.monotonic() > end:
            sys.exit("the manager does not come up in the copy")
        time.sleep(_STEP)


def _let_run(order: UnitOrder, manager: int) -> None:
    """Leave it running for its time, counted from when it rests, or until it ends by itself."""
    latest = time.monotonic() + order.seconds + _LONGEST_WORK
    rests_since, used = time.monotonic(), 0.0
    while os.waitpid(manager, os.WNOHANG) == (0, 0):
        shown = _shown(order)
        if shown.get("ActiveState") in ("inactive", "failed"):
            return
        now, before = time.monotonic(), used
        used = _seconds_used(manager, shown.get("ControlGroup", ""))
        if used - before > _BUSY * _PAUSE:
            rests_since = now
        if now > min(latest, rests_since + order.seconds):
            return
        time.sleep(_PAUSE)


def _seconds_used(manager: int, cgroup: str) -> float:
    """Tell how long the processes of the unit have computed."""
    with suppress(OSError, ValueError, IndexError):
        stat = Path(f"/proc/{manager}/root{_CGROUPS}{cgroup}/cpu.stat").read_text()
        return int(stat.split()[1]) / 1e6
    return 0.0


def _shown(order: UnitOrder) -> dict[str, str]:
    names = (
        "ControlGroup,ActiveState,Result,ExecMainCode,ExecMainStatus,ConditionResult,AssertResult"
    )
    done = _systemctl(order, "show", f"--property={names}", "--", order.unit)
    lines = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in lines}


def _code(shown: dict[str, str]) -> int:
    status = int(shown.get("ExecMainStatus") or 0)
    if shown.get("ExecMainCode") in (_KILLED, _DUMPED):
        return _SIGNAL + status
    return status or 1


def _words(shown: dict[str, str]) -> Iterator[str]:
    result = shown.get("Result")
    if result not in (None, "success", "exit-code"):
        yield f"systemd: {result}"


def _systemctl(order: UnitOrder, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [order.systemctl, "--system", "--no-pager", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # We see the machine's processes, and another root than its first one has.
        env=os.environ | {"SYSTEMD_IGNORE_CHROOT": "1", "LC_ALL": "C.UTF-8"},
        check=False,
    )
