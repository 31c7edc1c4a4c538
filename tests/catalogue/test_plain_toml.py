"""What is read quickly is what tomllib reads; everything else is left to it."""

import tomllib
from pathlib import Path

import pytest

from imptrace.catalogue.plain_toml import read_plain

NIX = Path(__file__).parents[2] / "nix"
FILES = sorted((*NIX.glob("services/*.toml"), *NIX.glob("home/*.toml")))


def test_every_shipped_file_that_is_plain_is_read_as_tomllib_reads_it() -> None:
    plain = 0
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        found = read_plain(text)
        if found is not None:
            assert found == tomllib.loads(text), path
            plain += 1
    assert plain > 0.95 * len(FILES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        'a = ""\n',
        "a = []\n",
        'a = ["x"]\nb = ["x", "y, z"]\n',
        "a = true\nb = false\nc = 0\nd = 120\n",
        'a = "x"\n[[t]]\nb = "y"\n[[u]]\nb = 1\n\n[[t]]\n',
        'a = "\u00e9 [x] # no comment"\n',
    ],
)
def test_plain_text_is_read_as_tomllib_reads_it(text: str) -> None:
    assert read_plain(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        'a = "x"',
        'a = "x" # comment\n',
        "# comment\n",
        'a = "\\n"\n',
        'a = "x"\r\n',
        'a="x"\n',
        "a = 'x'\n",
        "a = 012\n",
        "a = -1\n",
        'a = ["x",\n"y"]\n',
        'a = """\nx"""\n',
        'a.b = "x"\n',
        "[t]\n",
        'a = "x"\na = "y"\n',
        't = "x"\n[[t]]\n',
        'a = "x\ty"\n',
        '[[t]]\na = "x"\na = "y"\n',
    ],
)
def test_everything_else_is_left_to_tomllib(text: str) -> None:
    assert read_plain(text) is None
