"""A unit's mounts are compared with the host's."""

import os

from imptrace.service.namespace import mount_names, other_names
from imptrace.tracer.mountinfo import parse_mountinfo

HOST = parse_mountinfo(
    [
        b"1 0 8:1 / / rw - ext4 /dev/sda1 rw",
        b"2 1 0:20 / /run rw - tmpfs tmpfs rw",
        b"3 1 8:2 /sub /srv/two rw - ext4 /dev/sda2 rw",
    ]
)


def test_names_that_differ() -> None:
    """A private /tmp, a bind mount, a sub-directory mounted elsewhere, and a file system apart."""
    unit = parse_mountinfo(
        [
            b"11 0 8:1 / / ro - ext4 /dev/sda1 rw",
            b"12 11 0:20 / /run rw - tmpfs tmpfs rw",
            b"13 11 8:1 /usr /usr ro - ext4 /dev/sda1 rw",
            b"14 11 8:1 /tmp/systemd-private-x/tmp /tmp rw - ext4 /dev/sda1 rw",
            b"15 11 8:2 /sub/deep /data rw - ext4 /dev/sda2 rw",
            b"16 11 0:99 / /home rw - tmpfs tmpfs rw",
            b"17 11 8:2 /other /unseen rw - ext4 /dev/sda2 rw",
        ]
    )
    assert other_names(unit, HOST) == {
        b"/tmp": b"/tmp/systemd-private-x/tmp",
        b"/data": b"/srv/two/deep",
        b"/home": None,
        b"/unseen": None,
    }


def test_ones_own_mounts_have_no_other_names() -> None:
    """And a process that is gone has none at all."""
    assert mount_names(os.getpid()) is None
    assert mount_names(2**22 + 1) is None
