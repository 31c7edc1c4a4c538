"""Where the database is, without opening it: cheap to import."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = "IMPTRACE_DB"


def default_path() -> "Path":
    """Return the place after the XDG Base Directory Specification; root's is the system's."""
    from pathlib import Path  # noqa: PLC0415 (who only names the environment variable waits for it)

    if os.geteuid() == 0:
        return Path("/var/lib/imptrace/imptrace.db")
    state = os.environ.get("XDG_STATE_HOME", "")
    # The specification: a relative path there is invalid and to be ignored.
    base = Path(state) if state.startswith("/") else Path.home() / ".local/state"
    return base / "imptrace/imptrace.db"


def shown(place: str | os.PathLike[str] | None) -> str:
    """Return a database's place as messages show it: no password, no control character."""
    text = os.fspath(place) if place is not None else str(default_path())
    scheme, separator, rest = text.partition("://")
    if separator and "@" in rest:
        credentials, _, server = rest.rpartition("@")
        text = f"{scheme}://{credentials.partition(':')[0]}@{server}"
    return text if text.isprintable() else ascii(text)
