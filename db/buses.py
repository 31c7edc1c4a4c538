"""Message buses: over them a program has others write for it, whom its recording does not show."""

import re
from typing import Final

from imptrace.tracer.events import Warned

_BUS: Final = re.compile(
    rb"(?:/var)?/run/dbus/system_bus_socket"
    # That of the user's manager, or made by dbus-run-session and dbus-launch.
    rb"|(?P<session>(?:/var)?/run/user/[0-9]+/bus|.*/dbus-[A-Za-z0-9]{8,})",
    re.DOTALL,
)


def bus_of(socket: bytes) -> Warned | None:
    """Tell what a connection to a socket leaves unseen; None where it is no message bus."""
    found = _BUS.fullmatch(socket)
    if found is None:
        return None
    which = "session" if found["session"] else "system"
    return Warned(
        "bus",
        f"connected to the {which} bus: settings may have been written by another program; "
        "`imptrace watch` sees it",
    )
