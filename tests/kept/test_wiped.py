"""Which file systems a boot wipes, told from mount tables as real systems have them."""

import json
import os
from pathlib import Path

import pytest

from imptrace.kept.boot import Boot
from imptrace.kept.walk import Tree
from imptrace.kept.wiped import DiskLayout, Said, layout
from imptrace.tracer.mountinfo import parse_mountinfo

BOOT = Boot(10, 20)
TMPFS_ROOT = """
20 1 0:20 / / rw - tmpfs none rw,size=2G
21 20 8:1 / /nix rw - ext4 /dev/sda1 rw
22 20 8:2 / /persistent rw - ext4 /dev/sda2 rw
23 20 8:2 /var/lib/nixos /var/lib/nixos rw - ext4 /dev/sda2 rw
24 20 0:4 / /proc rw - proc proc rw
25 20 0:30 / /run rw - tmpfs tmpfs rw
26 20 0:31 / /tmp rw - tmpfs tmpfs rw
"""
ROLLED_BACK = """
20 1 0:40 /root / rw - btrfs /dev/sda2 rw,subvol=/root
21 20 0:40 /persist /persist rw - btrfs /dev/sda2 rw,subvol=/persist
22 20 0:40 /persist/var/log /var/log rw - btrfs /dev/sda2 rw
23 20 0:40 /home /home rw - btrfs /dev/sda2 rw,subvol=/home
"""
ORDINARY = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:2 / /home rw - ext4 /dev/sda2 rw"


def told(table: str, root: Path, said: Said | None = None) -> DiskLayout:
    (root / "root").mkdir(exist_ok=True)
    mounts = parse_mountinfo(table.encode().splitlines())
    return layout(mounts, said or Said(), Tree(os.fsencode(root)), BOOT)


def wiped(found: DiskLayout) -> list[bytes]:
    return [each.path for each in found.wiped]


def test_a_root_in_memory_is_wiped_and_its_store_found(tmp_path: Path) -> None:
    found = told(TMPFS_ROOT, tmp_path)
    assert wiped(found) == [b"/"]
    assert found.stores == (b"/persistent",)
    assert b"/var/lib/nixos" in found.points


def test_a_root_over_which_a_store_is_mounted_is_wiped(tmp_path: Path) -> None:
    found = told(ROLLED_BACK, tmp_path)
    assert wiped(found) == [b"/"]
    assert found.stores == (b"/persist",)
    assert "mounted from a store" in found.wiped[0].why


def test_an_ordinary_root_lasts(tmp_path: Path) -> None:
    assert wiped(told(ORDINARY, tmp_path)) == []


def test_what_the_module_wrote_counts(tmp_path: Path) -> None:
    (tmp_path / "etc/imptrace").mkdir(parents=True)
    kept = {"backend": "preservation", "stores": ["/keep"], "kept": [{"path": "/var/lib/x"}]}
    (tmp_path / "etc/imptrace/kept.json").write_text(json.dumps(kept))
    found = told(ORDINARY, tmp_path)
    assert wiped(found) == [b"/"]
    assert found.stores == (b"/keep",)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kept": 1}', '{"backend": "x"}', "[" * 99_999])
def test_a_broken_file_of_the_module_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "etc/imptrace").mkdir(parents=True)
    (tmp_path / "etc/imptrace/kept.json").write_text(text)
    assert wiped(told(ORDINARY, tmp_path)) == []


def test_the_user_has_the_last_word(tmp_path: Path) -> None:
    said = Said(ephemeral=(b"/home",), kept=(b"/",))
    assert wiped(told(TMPFS_ROOT, tmp_path, said)) == [b"/home"]


def test_volatile_systemd_is_told_by_the_kernels_command_line(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text("quiet systemd.volatile=overlay\n")
    assert wiped(told(ORDINARY, tmp_path)) == [b"/"]
