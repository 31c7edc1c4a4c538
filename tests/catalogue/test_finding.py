"""Finding an entry of the shipped catalogue by any of its names."""

from pathlib import Path

import pytest

from imptrace.catalogue import EntryPlace, load, shipped
from imptrace.errors import UsageError


@pytest.mark.parametrize(
    ("name", "entry_id"),
    [
        ("networkmanager", "networkmanager"),
        ("NetworkManager", "networkmanager"),
        ("nm", "networkmanager"),
        ("NetworkManager.service", "networkmanager"),
        ("networking.networkmanager", "networkmanager"),
        ("networking.networkmanager.enable", "networkmanager"),
        ("nmcli", "networkmanager"),
        ("sshd", "openssh"),
        ("postgresql@15-main.service", "postgresql"),
        ("postgresql@15-main", "postgresql"),
        ("postgres", "postgresql"),
        ("redis-cache.service", "redis"),
        ("bluetoothd", "bluetooth"),
        (".NetworkManager-wrapped", "networkmanager"),
        ("hardware.bluetooth", "bluetooth"),
    ],
)
def test_service_is_found_by_every_kind_of_name(name: str, entry_id: str) -> None:
    assert shipped().find(name).id == entry_id


def test_id_goes_before_alias_and_place_can_be_given() -> None:
    assert shipped().find("ssh").place is EntryPlace.HOME
    assert shipped().find("ssh", EntryPlace.SERVICE).id == "openssh"
    assert shipped().find("openssh").place is EntryPlace.SERVICE
    assert shipped().find("firefox-esr").id == "firefox"


@pytest.mark.parametrize(
    ("name", "near"),
    [("networkmanagr", "networkmanager"), ("postgress", "postgres"), ("tailscal", "tailscale")],
)
def test_near_miss_names_what_was_meant(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=rf"no service or program '{name}'.*did you mean .*{near}"):
        shipped().find(name)


def test_name_of_several_entries_asks_which_one_is_meant() -> None:
    with pytest.raises(UsageError, match="may mean gdm, lightdm, sddm: name one of these"):
        shipped().find("display-manager.service")


def test_far_miss_says_where_the_list_is() -> None:
    with pytest.raises(UsageError, match="`imptrace services` lists all"):
        shipped().find("qqqqqqqq")


def test_place_limits_what_is_found() -> None:
    with pytest.raises(UsageError, match="no program 'networkmanager'"):
        shipped().find("networkmanager", EntryPlace.HOME)


def test_entry_comes_with_all_that_belong_to_it() -> None:
    ids = [
        entry.id for entry in shipped().with_included(shipped().find("base", EntryPlace.SERVICE))
    ]
    assert ids == ["base", "machine-id", "nixos-users", "systemd", "systemd-journald", "zfs"]
    assert [entry.id for entry in shipped().with_included(shipped().find("redis"))] == ["redis"]


def test_entries_that_include_each_other_come_once(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    for name, other in (("a", "b"), ("b", "a")):
        text = f'title = "X"\nincludes = ["{other}"]\n'
        (tmp_path / "services" / f"{name}.toml").write_text(text)
    catalogue = load(tmp_path)
    assert [entry.id for entry in catalogue.with_included(catalogue.find("b"))] == ["b", "a"]
