"""Message buses: over them a program has others write for it, whom its recording does not show."""

import re
from typing import Final

from imptrace.tracer.events import Warned

_BUS: Final = re.compile(
    rb"(?:/var)?/run/(?:(?P<user>user/[0-9]+/bus)|dbus/system_bus_socket)", re.DOTALL
)


def bus_of(socket: bytes) -> Warned | None:
    """Tell what a connection to a socket leaves unseen; None where it is no message bus."""
    found = _BUS.fullmatch(socket)
    if found is None:
        return None
    which = "session" if found["user"] else "system"
    return Warned(
        "bus",
        f"connected to the {which} bus: settings may have been written by another program; "
        "`imptrace watch` sees it",
    )
