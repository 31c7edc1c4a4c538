"""The plain way to read a command line of `imptrace run` agrees with typer, or leaves it alone."""

import contextlib
from collections.abc import Iterator, Sequence

import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imptrace.cli import run
from imptrace.cli.app import app
from imptrace.cli.commands import COMMANDS, loaded
from imptrace.cli.run_line import FLAGS, VALUES, plain_wish
from imptrace.cli.wish import Wish
from imptrace.db.location import ENVIRONMENT

USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # as in imptrace.cli.app

WORDS = st.sampled_from(
    [*FLAGS, *VALUES, "--", "-", "-h", "--help", "-qq", "--lab", "--quiet=1", "=", "", "none"]
    + ["children", "auto", "ptrace", "notify", "CHILDREN", "run", "sh", "-c", "caf\xe9 \n", "-5"]
    + [f"{name}={value}" for name in sorted(VALUES) for value in ("", "x=y", "none", "notify")]
)


@pytest.fixture(scope="module")
def asked() -> list[Wish]:
    """Hold what typer makes of a line."""
    return []


@pytest.fixture(autouse=True, scope="module")
def _no_recording(asked: list[Wish]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "record", asked.append)
        patch.delenv(ENVIRONMENT, raising=False)
        yield


def by_typer(words: Sequence[str], asked: list[Wish]) -> Wish | None:
    """Ask typer; None where it finds fault with the line or shows the help."""
    asked.clear()
    with contextlib.suppress(USAGE_ERROR):
        app(["run", *words], standalone_mode=False)
    return asked[0] if asked else None


@given(st.lists(WORDS, max_size=7))
@settings(deadline=None, max_examples=300)
@example(["--", "--", "--help"])
@example(["sh", "--", "-q", "--label"])
@example(["--label", "a", "--label=b", "sh"])
def test_what_is_understood_means_what_typer_says(asked: list[Wish], words: list[str]) -> None:
    """Any words, in any order."""
    plain = plain_wish(["run", *words])
    if plain is not None:
        assert by_typer(words, asked) == plain


@pytest.mark.parametrize(
    "words",
    [
        ["true"],
        ["--", "true", "--help"],
        ["--label", "first", "--quiet", "sh", "-c", "exit 3"],
        ["-q", "--db=/tmp/x.db", "--wait", "children", "--recorder", "ptrace", "--", "a"],
        ["--user", "nobody", "--service", "s", "--stats", "--writes-only", "--io-uring", "a"],
    ],
)
def test_ordinary_lines_need_no_typer(asked: list[Wish], words: list[str]) -> None:
    """All options are known to both."""
    plain = plain_wish(["run", *words])
    assert plain is not None
    assert by_typer(words, asked) == plain


def test_the_environment_names_the_database(
    asked: list[Wish], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an option does, which comes first; an empty variable counts as none."""
    for value, words in (("/e.db", ["a"]), ("/e.db", ["--db", "/o.db", "a"]), ("", ["a"])):
        monkeypatch.setenv(ENVIRONMENT, value)
        assert plain_wish(["run", *words]) == by_typer(words, asked)


@pytest.mark.parametrize(
    "words", [[], ["run"], ["run", "--"], ["runs"], ["run", "--wait", "long", "a"], ["--version"]]
)
def test_the_rest_is_left_to_typer(words: list[str]) -> None:
    """Other commands, and whatever is wrong."""
    assert plain_wish(words) is None


def test_no_option_is_forgotten() -> None:
    """Every option of the command is understood here too, but for its help and what is repeated."""
    command = loaded("run", COMMANDS["run"])
    named = {name for each in command.params if each.opts[0].startswith("-") for name in each.opts}
    assert named - {"--keep-env"} == FLAGS.keys() | VALUES
