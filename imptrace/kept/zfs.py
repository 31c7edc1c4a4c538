"""What `zfs list` tells of the snapshots of a dataset."""

import os
from typing import NamedTuple

from imptrace.facts.commands import answer_if_any

_SECONDS = 10


class ZfsSnapshot(NamedTuple):
    """A snapshot, by its name behind the @."""

    name: bytes
    created: int
    """Seconds since the epoch."""


def snapshots(dataset: bytes) -> list[ZfsSnapshot]:
    """List the snapshots of a dataset, the oldest first; none where there is no ZFS."""
    command = ["zfs", "list", "-H", "-p", "-o", "name,creation", "-t", "snapshot", "-d", "1"]
    found = []
    for line in answer_if_any(*command, os.fsdecode(dataset), seconds=_SECONDS).splitlines():
        name, _, created = line.partition(b"\t")
        if b"@" in name and created.strip().isdigit():
            found.append(ZfsSnapshot(name.partition(b"@")[2], int(created)))
    return sorted(found, key=lambda each: each.created)
