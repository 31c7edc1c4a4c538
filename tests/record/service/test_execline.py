"""Command lines of unit files are read as systemd reads them, and wrapped without changing them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imptrace.record.service.execline import (
    ExecLine,
    ExecLineError,
    parse_exec_value,
    quote,
    read_exec_lines,
    unquote,
    wrap,
)

SHIM = ("/run/imptrace/shim", "/run/imptrace/a.service/socket")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/bin/true", ExecLine("", "/bin/true", None, "")),
        ("-/bin/a  'b c'   d", ExecLine("-", "/bin/a", None, "'b c'   d")),
        ("@/bin/a name x", ExecLine("", "/bin/a", "name", "x")),
        ("-@+/bin/a $NAME x", ExecLine("-+", "/bin/a", "$NAME", "x")),
        ("!!/bin/a", ExecLine("!!", "/bin/a", None, "")),
        (":/bin/a $x ${y} %i", ExecLine(":", "/bin/a", None, "$x ${y} %i")),
        ('"-/bin/my prog" "a;b"', ExecLine("-", "/bin/my prog", None, '"a;b"')),
        (r"/bin/a\x20b c", ExecLine("", "/bin/a b", None, "c")),
        (r"/bin/find . -exec x {} \;", ExecLine("", "/bin/find", None, r". -exec x {} \;")),
        ("plain arg", ExecLine("", "plain", None, "arg")),
    ],
)
def test_one_command(value: str, expected: ExecLine) -> None:
    """Prefixes, path and argv[0] are told apart; the arguments stay as written."""
    assert parse_exec_value(value) == [expected]


def test_a_semicolon_separates_commands() -> None:
    """Only a bare, unquoted semicolon does."""
    found = parse_exec_value("/bin/a ';' x ; -/bin/b ; @/bin/c d")
    assert found == [
        ExecLine("", "/bin/a", None, "';' x"),
        ExecLine("-", "/bin/b", None, ""),
        ExecLine("", "/bin/c", "d", ""),
    ]


@pytest.mark.parametrize("value", ["-", "@/bin/a", "'/bin/a", r"/bin/\q", r"/bin/\x00"])
def test_what_systemd_refuses_is_refused(value: str) -> None:
    """Such a line never runs: there is nothing to wrap."""
    with pytest.raises(ExecLineError):
        parse_exec_value(value)


def test_files_are_merged_in_order() -> None:
    """An empty assignment resets its key; other sections and comments do not count."""
    fragment = """
# ExecStart=/bin/comment
[Unit]
ExecStart=/bin/not-here
[Service]
ExecStart=/bin/old
ExecStartPre = /bin/pre \\
    # a comment between continued lines
    one \\
    two
ExecReload=/bin/kill -HUP $MAINPID
"""
    dropin = "[Service]\nExecStart=\nExecStart=-/bin/new\n ExecReload=\n"
    assert read_exec_lines([fragment, dropin]) == {
        "ExecStart": [ExecLine("-", "/bin/new", None, "")],
        "ExecStartPre": [ExecLine("", "/bin/pre", None, "one  two")],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-/bin/a 'b c'", "-{} /bin/a /bin/a 'b c'"),
        ("@+/bin/a b c", "+{} /bin/a b c"),
        ("/bin/a$b $c", "{} /bin/a$$b /bin/a$$b $c".replace("/bin/a$$b", '"/bin/a$$b"')),
        (":/bin/a$b $c", ':{} "/bin/a$b" "/bin/a$b" $c'),
        ("%h/bin/x", "{} %h/bin/x %h/bin/x"),
    ],
)
def test_wrapping(value: str, expected: str) -> None:
    """The shim stands behind the prefixes, then path, argv[0] and the untouched arguments."""
    (line,) = parse_exec_value(value)
    assert wrap(line, SHIM) == expected.format(" ".join(SHIM))


def test_literal_words_survive_specifiers_and_variables() -> None:
    """A percent or dollar sign in the shim's own words is doubled."""
    (line,) = parse_exec_value("/bin/a")
    assert wrap(line, ["/run/50%/$x"]) == '"/run/50%%/$$x" /bin/a /bin/a'


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_quoting_round_trip(word: str) -> None:
    """Any word is read back as it was."""
    assert unquote(quote(word)) == word
    (line,) = parse_exec_value("/bin/a " + quote(word) + " end")
    assert line.arguments == quote(word) + " end"
