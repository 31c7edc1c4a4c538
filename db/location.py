"""Where the database is, without opening it: cheap to import."""

import errno
import os
import stat
from typing import TYPE_CHECKING

from imptrace.facts.answering import SOCKET

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = "IMPTRACE_DB"
ROOTS = "/var/lib/imptrace/imptrace.db"

_NO_FILES = {
    stat.S_IFIFO: "it is a FIFO, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
}


def default_path() -> "Path":
    """Return the place after the XDG Base Directory Specification; root's is the system's."""
    from pathlib import Path  # noqa: PLC0415 (who only names the environment variable waits for it)

    if os.geteuid() == 0:
        return Path(ROOTS)
    state = os.environ.get("XDG_STATE_HOME", "")
    # The specification: a relative path there is invalid and to be ignored.
    base = Path(state) if state.startswith("/") else Path.home() / ".local/state"
    return base / "imptrace/imptrace.db"


def unwritable(place: str | os.PathLike[str] | None) -> str | None:
    """Say why nothing could be stored at a place, as far as can be told without opening it."""
    text = os.fspath(place) if place is not None else str(default_path())
    if "://" in text:
        return None
    if reason := no_file(text):
        return f"database {shown(text)}: {reason}; name another with --db"
    if os.path.exists(text) and not os.path.isdir(text):
        for path in (text, os.path.dirname(text) or "."):
            if not os.access(path, os.W_OK):
                return f"database {shown(text)}: it may not be written to; name another with --db"
        return None
    above = os.path.dirname(os.path.abspath(text))
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above) or not os.access(above, os.W_OK | os.X_OK):
        return f"database {shown(text)}: it cannot be made there; name another place with --db"
    return None


def no_file(path: str | os.PathLike[str]) -> str | None:
    """Say what stands at a path that neither is a file or a directory nor can become one.

    To open such a thing can wait for ever, or change a device.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "its links lead in a circle"
        lost = os.path.islink(path) and not os.path.isdir(os.path.dirname(os.path.realpath(path)))
        return "it is a link into a directory that is not there" if lost else None
    return _NO_FILES.get(stat.S_IFMT(mode))


def elsewhere(place: str | os.PathLike[str] | None) -> str:
    """Tell of the other default database: root's where this is a user's, and the other way."""
    if place is not None and os.fspath(place) != str(default_path()):
        return ""
    if os.geteuid() != 0:
        if os.path.exists(SOCKET):
            return "; what the machine's recorder saw of you is asked with --db service"
        if os.path.isdir(os.path.dirname(ROOTS)):
            return f"; what root recorded is in {ROOTS}: ask with sudo"
        return ""
    user = os.environ.get("SUDO_USER", "")
    own = os.path.expanduser(f"~{user}/.local/state/imptrace/imptrace.db") if user else ""
    if user not in ("", "root") and os.path.exists(own):
        return f"; what {user} recorded is in {own}: ask without sudo, or with --db"
    return ""


def shown(place: str | os.PathLike[str] | None) -> str:
    """Return a database's place as messages show it: no password, no control character."""
    text = os.fspath(place) if place is not None else str(default_path())
    scheme, separator, rest = text.partition("://")
    if separator and "@" in rest:
        credentials, _, server = rest.rpartition("@")
        text = f"{scheme}://{credentials.partition(':')[0]}@{server}"
    return text if text.isprintable() else ascii(text)
