"""Finding an entry of the shipped catalogue by any of its names."""

import pytest

from imptrace.catalogue import Place, shipped
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
    assert shipped().find("ssh").place is Place.HOME
    assert shipped().find("ssh", Place.SERVICE).id == "openssh"
    assert shipped().find("openssh").place is Place.SERVICE
    assert shipped().find("firefox-esr").id == "firefox"


@pytest.mark.parametrize(
    ("name", "near"),
    [("networkmanagr", "networkmanager"), ("postgress", "postgres"), ("tailscal", "tailscale")],
)
def test_near_miss_names_what_was_meant(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=rf"no service or program '{name}'.*did you mean .*{near}"):
        shipped().find(name)


def test_far_miss_says_where_the_list_is() -> None:
    with pytest.raises(UsageError, match="`imptrace services` lists all"):
        shipped().find("qqqqqqqq")


def test_place_limits_what_is_found() -> None:
    with pytest.raises(UsageError, match="no program 'networkmanager'"):
        shipped().find("networkmanager", Place.HOME)
