"""Names of people and hosts are found where they stand as words, and replaced always alike."""

import os

import pytest

from imptrace.facts.people import PrivateNames, is_person, private_names

NAMES = PrivateNames(users=("alice", "bob"), homes=(b"/home/al",), hosts=("box.example.org", "box"))


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        (b"/home/alice/.config", b"/home/user1/.config"),
        (b"/home/al/x", b"/home/home1/x"),
        (b"/var/spool/cron/bob", b"/var/spool/cron/user2"),
        (b"/x/alice-data.conf", b"/x/user1-data.conf"),
        (b"ALICE's", b"user1's"),
        (b"/x/box.example.org/key", b"/x/host1/key"),
        (b"/x/box:0", b"/x/host2:0"),
        (b"/malice/bobby/inbox/alice2", b"/malice/bobby/inbox/alice2"),
        (b"\xff/alice\xff", b"\xff/user1\xff"),
    ],
)
def test_names_are_replaced_as_words(text: bytes, replaced: bytes) -> None:
    """A name inside a longer word is another word."""
    assert NAMES.replaced(text) == replaced
    assert NAMES.stand_in(text) is (text != replaced)


@pytest.mark.parametrize(
    ("uid", "person"),
    [
        (0, False), (999, False), (1000, True), (60_000, True), (60_001, True), (65_534, False),
        (200_500, True), (2**32 - 1, False),
    ],
)  # fmt: skip
def test_a_person_may_have_any_uid_from_1000_on(uid: int, *, person: bool) -> None:
    """systemd-homed and LDAP give uids that login.defs does not."""
    assert is_person(uid) is person


def test_nothing_is_private_where_there_are_no_names() -> None:
    """Not even the empty text."""
    assert PrivateNames().replaced(b"x") == b"x"
    assert not PrivateNames().stand_in("")


def test_common_names_say_nothing() -> None:
    """`nixos` is the host name of every fresh NixOS, and part of /var/lib/nixos."""
    names = private_names(
        [("root", b"/root"), ("", b"/home/eve"), ("", b"")], ["nixos", "a.b", "a.b"]
    )
    assert names == PrivateNames(users=(), homes=(b"/home/eve",), hosts=("a.b", "a"))


@pytest.mark.parametrize("name", ["Émile", "zo\udcff"])
def test_a_name_may_be_of_any_letters(name: str) -> None:
    """Directories of people (LDAP) hold such, and a passwd file any bytes."""
    names = PrivateNames(users=(name,), hosts=("Äpfel",))
    assert names.replaced(b"/home/" + os.fsencode(name) + b"/x") == b"/home/user1/x"
    assert names.replaced("/x/Äpfel/y".encode()) == b"/x/host1/y"
