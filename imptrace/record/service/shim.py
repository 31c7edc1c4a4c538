"""Which copy of the shim a unit can execute."""

import os
import shutil
import stat
from pathlib import Path

from imptrace.errors import ImptraceError
from imptrace.record.service.manager import runtime_directory

SHIM = "imptrace-shim"


class ShimError(ImptraceError):
    """No copy of the shim can be executed by the units."""


def installed_shim() -> Path:
    """Find the shim that was built with imptrace."""
    import imptrace.tracer

    for directory in imptrace.tracer.__path__:
        path = Path(directory) / SHIM
        if path.is_file():
            return path
    raise ShimError(f"{SHIM} is not installed beside imptrace.tracer: install imptrace again")


def place_shim(*, user: bool) -> Path:
    """Put the shim where any unit can execute it. Raises ShimError.

    That is below /run, unless programs are not executed from there (Debian's noexec).
    """
    installed = installed_shim()
    runtime = runtime_directory(user=user)
    runtime.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not os.statvfs(runtime).f_flag & os.ST_NOEXEC:
        return _copy(installed, runtime / SHIM)
    if user or _everyone_reaches(installed):
        return installed
    raise ShimError(
        f"{runtime} is mounted noexec and {installed} cannot be reached by every user: "
        "install imptrace in a place that can be, such as /opt"
    )


def _copy(source: Path, target: Path) -> Path:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, temporary)
    temporary.chmod(0o755)
    temporary.replace(target)
    return target


def _everyone_reaches(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IXOTH) and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents
    )
