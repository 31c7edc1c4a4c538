"""Single values to and from JSON that comes from anywhere: bytes, numbers, states of files.

Bytes that are no valid UTF-8 are written as `{"base64": "..."}`. A value of another kind than is
asked for raises ValueError, KeyError or TypeError.
"""

from base64 import b64decode, b64encode
from typing import Any

from imptrace.tracer.events import FileState, FileType

Json = dict[str, Any]
_LARGEST = (1 << 63) - 1


def bytes_to_json(value: bytes) -> str | Json:
    """Write bytes, as text where they are text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}


def bytes_from_json(value: str | Json) -> bytes:
    """Read bytes; no name of the system's holds a NUL."""
    decoded = (
        value.encode() if isinstance(value, str) else b64decode(value["base64"], validate=True)
    )
    if b"\0" in decoded:
        raise ValueError("a NUL byte in a name")
    return decoded


def path_from_json(value: str | Json) -> bytes:
    """Read an absolute path."""
    path = bytes_from_json(value)
    if not path.startswith(b"/"):
        raise ValueError("a path that is not absolute")
    return path


def text_from_json(value: object) -> str:
    """Read text; halves of characters are none."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    value.encode()
    return value


def number_from_json(value: object) -> int:
    """Read a number that is not negative and fits the database."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise ValueError(f"{value!r} is no number of the right size")
    return value


def optional_number_from_json(value: object) -> int | None:
    """Read a number, or nothing."""
    return None if value is None else number_from_json(value)


_NUMBERS = tuple(key for key in FileState._fields if key not in ("type", "hint", "link"))
"""What is a number of a state. A path's hint and link stand beside its states."""


def state_to_json(state: FileState | None) -> Json | None:
    """Write what lstat said."""
    if state is None:
        return None
    return {"type": state.type.value} | {key: getattr(state, key) for key in _NUMBERS}


def state_from_json(record: Json | None) -> FileState | None:
    """Read what lstat said."""
    if record is None:
        return None
    numbers: dict[str, Any] = {key: number_from_json(record[key]) for key in _NUMBERS}
    return FileState(FileType(record["type"]))._replace(**numbers)
