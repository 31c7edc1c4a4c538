"""What a service tells its manager, and what it is given by it: sd_notify(3), sd_listen_fds(3)."""

import os
import socket
from collections import defaultdict

_FIRST = 3


def tell_manager(*fields: str, descriptors: tuple[int, ...] = ()) -> None:
    """Send NAME=VALUE fields, with descriptors to keep; do nothing outside of a service."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        socket.send_fds(sender, ["\n".join(fields).encode()], list(descriptors))


def deposit(descriptor: int, name: str) -> None:
    """Give the manager a copy of a descriptor, which the next instance of this service gets."""
    # FDPOLL: a listening socket has hang-ups of its own that must not make it be forgotten.
    tell_manager("FDSTORE=1", f"FDNAME={name}", "FDPOLL=0", descriptors=(descriptor,))


def withdraw(name: str) -> None:
    """Have the manager close what was deposited under `name`."""
    tell_manager("FDSTOREREMOVE=1", f"FDNAME={name}")


def inherited_descriptors() -> dict[str, list[int]]:
    """Take the descriptors that the manager kept for us, by name; each is the caller's to close."""
    found: dict[str, list[int]] = defaultdict(list)
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return found
    count = int(os.environ.get("LISTEN_FDS", "0"))
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    for descriptor, name in zip(range(_FIRST, _FIRST + count), names, strict=False):
        os.set_inheritable(descriptor, False)
        found[name].append(descriptor)
    return found
