"""Writing a file that somebody asked for, whole or not at all, and over nothing."""

import os
from pathlib import Path

from imptrace.errors import UsageError


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file that is not there yet. Raises UsageError if it is, or cannot be made."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise UsageError(f"{path} exists: name another file, or remove it") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
