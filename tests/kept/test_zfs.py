"""ZFS, as far as it can be asked without: what `zfs list` says, played by a script."""

import os
from pathlib import Path

import pytest

from imptrace.kept.lost.old_root import newest_snapshot
from imptrace.kept.zfs import ZfsSnapshot, snapshots

# As OpenZFS 2 prints it with -H -p.
LISTED = {"blank": 1700000000, "auto-2": 1700000300, "auto-1": 1700000200}


@pytest.fixture(autouse=True)
def _zfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"rpool/local/root@{name}\\t{time}\\n" for name, time in LISTED.items())
    asked = "list -H -p -o name,creation -t snapshot -d 1 rpool/local/root"
    (tmp_path / "zfs").write_text(f'#!/bin/sh\n[ "$*" = "{asked}" ] || exit 1\nprintf "{lines}"\n')
    (tmp_path / "zfs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_snapshots_come_in_the_order_of_their_making() -> None:
    assert snapshots(b"rpool/local/root") == [
        ZfsSnapshot(b"blank", 1700000000),
        ZfsSnapshot(b"auto-1", 1700000200),
        ZfsSnapshot(b"auto-2", 1700000300),
    ]
    assert snapshots(b"rpool/safe") == []


def test_the_old_root_is_the_newest_that_is_not_empty(tmp_path: Path) -> None:
    for name in ("auto-1", "auto-2"):
        (tmp_path / "seen" / name / "etc").mkdir(parents=True)
    (tmp_path / "seen/blank").mkdir()
    # That of the root in it says nothing of the snapshot.
    os.utime(tmp_path / "seen/auto-2", (1, 1))
    found = newest_snapshot(b"rpool/local/root", os.fsencode(tmp_path / "seen"))
    assert found is not None
    assert found.path.endswith(b"/auto-2")
