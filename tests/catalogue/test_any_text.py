"""An entry that a user or a repository gives may be any text: what is wrong with it is said."""

import random

import pytest

from imptrace.catalogue.model import CatalogueError, EntryPlace
from imptrace.catalogue.reader import LONGEST_ENTRY, read_entry

RIGHT = """\
title = "Bluetooth"
option = "hardware.bluetooth"
enable = "hardware.bluetooth.enable"
units = ["bluetooth.service"]
programs = ["bluetoothd"]
user = "root"
known = "document: bluetoothd(8)"

[[persist]]
path = "/var/lib/bluetooth"
level = "normal"
mode = "0755"
repos = 41
written = "rename"

[[never]]
path = "/var/lib/bluetooth/cache"
why = "regenerated"
"""
PUT_IN = (
    '"', "'", '"""', "[", "]", "{", "}", "=", "\n", "\0", "\x1b", "\u202e", "\\ud800", "\\u0000",
    "../", "[[persist]]",
    "[persist]", "persist = 3\n", "= []", "= {}", "= 1", "true", "nan", "1e999",
    "2024-13-45", "9" * 5000, "[" * 9000, "[[" * 300, "a." * 300 + "b = 1\n",
)  # fmt: skip


def test_any_text_is_an_entry_or_refused() -> None:
    """In one line, and by no other error."""
    choose = random.Random(1)  # noqa: S311 (to vary what is tried)
    for _ in range(2000):
        text = RIGHT
        for _ in range(choose.randint(1, 4)):
            at = choose.randrange(len(text) + 1)
            text = text[:at] + choose.choice(PUT_IN) + text[at + choose.choice((0, 0, 1, 5, 40)) :]
        said = ""
        try:
            read_entry("bluetooth.toml", text, "bluetooth", choose.choice(list(EntryPlace)))
        except CatalogueError as error:
            said = str(error)
        assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("repos = " + "9" * 5000, "a number of too many digits"),
        ("a." * LONGEST_ENTRY + "b = 1", "longer than the"),
        ("x = " + "[" * 20_000, "nested too deeply"),
    ],
)
def test_what_takes_long_or_too_much(text: str, why: str) -> None:
    """What TOML allows, and no reader of it can take."""
    with pytest.raises(CatalogueError, match=why):
        read_entry("bluetooth.toml", f'title = "Bluetooth"\n{text}\n', "bluetooth", EntryPlace.HOME)
