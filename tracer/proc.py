"""What /proc tells of other processes. Of one that is gone, or may not be read: nothing."""

import os
import re
from collections.abc import Iterator

KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of linux/sched.h, in field 9 of /proc/PID/stat."""

_MAPPING = re.compile(rb"[0-9a-f]+-[0-9a-f]+ (..)(.)(.) [0-9a-f]+ [0-9a-f:]+ [1-9]\d* +(/.*)")


def processes() -> list[int]:
    """List the pids of all processes."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def threads(pid: int) -> list[int]:
    """List the thread ids of a process; empty if it is gone."""
    try:
        return sorted(map(int, os.listdir(f"/proc/{pid}/task")))
    except OSError:
        return []


def process_of(tid: int) -> int | None:
    """Return the process that a thread belongs to."""
    return _status_number(tid, "Tgid")


def tracer(tid: int) -> int:
    """Return the pid of who traces a thread, 0 for nobody."""
    return _status_number(tid, "TracerPid") or 0


def owner(pid: int) -> int | None:
    """Return the real user id of a process."""
    return _status_number(pid, "Uid")


def rights(pid: int) -> tuple[int, int]:
    """Return the user and the group by whose rights it acts; 0 for what is gone."""
    fields = status(pid)
    user, group = (int(fields.get(name, "0 0").split()[1]) for name in ("Uid", "Gid"))
    return user, group


def status(pid: int) -> dict[str, str]:
    """Return the fields of its status, as the kernel writes them; none for what is gone."""
    lines = _read(pid, "status").decode("ascii", "replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def environ(pid: int) -> list[bytes]:
    """Return its environment as it was started with: NAME=VALUE each."""
    return [each for each in _read(pid, "environ").split(b"\0") if each]


def state(pid: int) -> str:
    """Return the letter of a process's state, as ps(1) shows it; "" if it is gone."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def started(pid: int) -> int | None:
    """Return when it began, in clock ticks since the machine's boot; None if it has ended."""
    fields = _stat(pid)
    # A zombie has ended; its parent only has not asked yet. Of proc_pid_stat(5) field 22, less two.
    return None if not fields or fields[0] in "ZX" else int(fields[22 - 3])


def is_kernel_thread(pid: int) -> bool:
    """Whether it has no memory and no files of its own."""
    fields = _stat(pid)
    return bool(fields) and bool(int(fields[6]) & KERNEL_THREAD)


def command(pid: int) -> bytes:
    """Return the short name that a process gave itself, at most 15 bytes."""
    return _read(pid, "comm").rstrip(b"\n")


def arguments(pid: int) -> tuple[bytes, ...]:
    """Return its command line."""
    return split_arguments(_read(pid, "cmdline"))


def split_arguments(text: bytes) -> tuple[bytes, ...]:
    r"""Take a /proc/PID/cmdline apart.

    >>> split_arguments(b"ls\0-a\0\0"), split_arguments(b"server: idle\0\0\0\0")
    ((b'ls', b'-a', b''), (b'server: idle',))
    """
    if not text:
        return ()
    first, *others = text.removesuffix(b"\0").split(b"\0")
    # A title that a process gave itself leaves the room of its arguments empty.
    is_title = not any(others) and re.search(rb"[\s:]", first)
    return (first,) if is_title else (first, *others)


def cgroups(pid: int) -> list[bytes]:
    """Return its control groups, one for each hierarchy (cgroup v1, v2 or both)."""
    return [line.split(b":", 2)[2] for line in _read(pid, "cgroup").splitlines() if b":" in line]


def unified_cgroup(pid: int) -> bytes:
    """Return its control group in the unified hierarchy (cgroup v2); b"" where there is none."""
    lines = _read(pid, "cgroup").splitlines()
    return next((line[3:] for line in lines if line.startswith(b"0::")), b"")


def link(pid: int, name: str) -> bytes:
    """Return where a link such as `exe` or `cwd` leads; b"" if that cannot be read."""
    try:
        return os.readlink(os.fsencode(f"/proc/{pid}/{name}"))
    except OSError:
        return b""


def descriptors(pid: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield its open descriptors: number, flags as of open(2), what /proc calls its target."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for name in names:
        found = re.search(rb"flags:\s*([0-7]+)", _read(pid, f"fdinfo/{name}"))
        if found:
            yield int(name), int(found[1], 8), link(pid, f"fd/{name}")


def mapped_files(pid: int) -> list[tuple[bytes, bool]]:
    """List the files in its memory that still have a name, and whether it writes through them."""
    files: dict[bytes, bool] = {}
    for line in _read(pid, "maps").splitlines():
        found = _MAPPING.fullmatch(line)
        if found is None or found[4].endswith(b" (deleted)") or found[4].startswith(b"/memfd:"):
            continue
        path = found[4].replace(rb"\012", b"\n")  # the only escape that the kernel writes here
        writes = found[1].endswith(b"w") and found[3] == b"s"
        files[path] = files.get(path, False) or writes
    return list(files.items())


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _stat(pid: int) -> list[str]:
    """Return the fields behind the name, which may hold anything."""
    return _read(pid, "stat").rpartition(b")")[2].decode("ascii").split()


def _status_number(pid: int, name: str) -> int | None:
    number = status(pid).get(name)
    return int(number.split()[0]) if number else None
