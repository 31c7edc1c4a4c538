"""The lexer of one line, on lines as strace 4 to 6 have written them."""

import pytest

from imptrace.tracer.strace.lines import (
    LineKind,
    first_part,
    parse_call,
    parse_descriptor,
    parse_line,
    parse_text,
    split_interruption,
    unescape,
)

PREFIXES = [
    (b"", None, None),
    (b"18872 ", 18872, None),
    (b"18872 11:31:54 ", 18872, b"11:31:54"),
    (b"18872 11:31:54.505096 ", 18872, b"11:31:54.505096"),
    (b"18872 1795347114.709669 ", 18872, b"1795347114.709669"),
    (b"1795347114.709669 ", None, b"1795347114.709669"),
    (b"11:31:54 ", None, b"11:31:54"),
    (b"     0.000032 ", None, None),
    (b"19109      0.002707 ", 19109, None),
    (b"[pid 30409] ", 30409, None),
    (b"[pid   409] 11:31:54 ", 409, b"11:31:54"),
    (b"[pid 30444<sh>] 11:35:50.813653 (+     0.000348) ", 30444, b"11:35:50.813653"),
    (b"30434 [  59] [00007f1eee85fad7] ", 30434, None),
    (b"30434<a b> ", 30434, None),
]


@pytest.mark.parametrize(("prefix", "tid", "clock"), PREFIXES)
def test_each_prefix_is_understood_before_each_body(
    prefix: bytes, tid: int | None, clock: bytes | None
) -> None:
    """Options -f, -Y, -t, -tt, -ttt, -r, -n and -i only change what stands before."""
    for body, kind in (
        (b'openat(AT_FDCWD, "x", O_RDONLY) = 3', LineKind.CALL),
        (b"<... openat resumed>, O_RDONLY) = 3", LineKind.RESUMED),
        (b"--- SIGCHLD {si_signo=SIGCHLD} ---", LineKind.SIGNAL),
        (b"+++ exited with 0 +++", LineKind.END),
    ):
        line = parse_line(prefix + body)
        assert line is not None
        assert (line.kind, line.tid, line.clock) == (kind, tid, clock)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello world",
        b"int main(){",
        b"\x7fELF\x02\x01",
        b"12345",
        b'{"schema": "imptrace.evidence/1"}',
    ],
)
def test_other_text_is_no_line_of_strace(line: bytes) -> None:
    """Nothing is read into what strace does not write."""
    parsed = parse_line(line)
    assert parsed is None or parse_call(parsed.rest) is None


CALLS = [
    (
        b'3, "zz", {flags=O_RDONLY|O_CREAT, mode=0600, resolve=0}, 24) = 6',
        (b"3", b'"zz"', b"{flags=O_RDONLY|O_CREAT, mode=0600, resolve=0}", b"24"),
        b"6",
        None,
    ),
    (
        b'AT_FDCWD, "a) = 3, \\"b", 0) = -1 ENOENT (No such file or directory) <0.000009>',
        (b"AT_FDCWD", b'"a) = 3, \\"b"', b"0"),
        b"-1",
        b"ENOENT",
    ),
    (
        b'AT_FDCWD</a\\74b\\76c\\377/q\\"x>, "x"..., O_RDONLY)   = 4</dev/null<char 1:3>>',
        (b'AT_FDCWD</a\\74b\\76c\\377/q\\"x>', b'"x"...', b"O_RDONLY"),
        b"4",
        None,
    ),
    (
        b'8<UNIX-STREAM:[7->8,"/run/x"]>, {sa_family=AF_UNIX, sun_path="/s"}, 110) = 0',
        (b'8<UNIX-STREAM:[7->8,"/run/x"]>', b'{sa_family=AF_UNIX, sun_path="/s"}', b"110"),
        b"0",
        None,
    ),
    (
        b'AT_FDCWD, "/t", [{tv_sec=1, tv_nsec=2} /* 1970-01-01T00:00:01 */, UTIME_NOW], 0) = 0',
        (
            b"AT_FDCWD",
            b'"/t"',
            b"[{tv_sec=1, tv_nsec=2} /* 1970-01-01T00:00:01 */, UTIME_NOW]",
            b"0",
        ),
        b"0",
        None,
    ),
    (b") = 0", (b"",), b"0", None),
    (b"0)   = ?", (b"0",), b"?", None),
    (b"0, [], 8) = ? ERESTARTSYS (To be restarted)", (b"0", b"[]", b"8"), b"?", b"ERESTARTSYS"),
]


@pytest.mark.parametrize(("rest", "arguments", "result", "error"), CALLS)
def test_a_call_is_taken_apart(
    rest: bytes, arguments: tuple[bytes, ...], result: bytes, error: bytes | None
) -> None:
    """Strings, notes of descriptors, structs and comments do not disturb each other."""
    call = parse_call(rest)
    assert call is not None
    assert tuple(argument for argument in call.arguments if argument is not None) == arguments
    assert (call.result, call.error) == (result, error)


@pytest.mark.parametrize(
    ("text", "value", "cut"),
    [
        (b'"a\\nb\\t\\"\\\\"', b'a\nb\t"\\', False),
        (b'"\\x2f\\x75\\xff"', b"/u\xff", False),
        (b'"\\377\\0\\1\\0012"', b"\xff\0\1\0012", False),
        (b'"abc"...', b"abc", True),
        (b'""', b"", False),
    ],
)
def test_strings_are_decoded(text: bytes, value: bytes, cut: bool) -> None:
    """Escapes are undone, and a cut is told."""
    assert parse_text(text) == (value, cut)


@pytest.mark.parametrize("text", [b"NULL", b"0x7ffe", b'"', b"", None])
def test_what_is_no_string_is_none(text: bytes | None) -> None:
    """An address stands where strace could not read the string."""
    assert parse_text(text) is None


@pytest.mark.parametrize(
    ("written", "number", "path", "deleted"),
    [
        (b"3", 3, None, False),
        (b"AT_FDCWD", -100, None, False),
        (b"AT_FDCWD</tmp/a b>", -100, b"/tmp/a b", False),
        (b"-100 /* AT_FDCWD */", -100, None, False),
        (b"3</tmp/#21>(deleted)", 3, b"/tmp/#21", True),
        (b"AT_FDCWD</tmp/a (deleted)>", -100, b"/tmp/a", True),
        (b"4</dev/null<char 1:3>>", 4, b"/dev/null", False),
        (b"4</a\\74b\\76>", 4, b"/a<b>", False),
        (b"7<UNIX-STREAM:[87783]>", 7, None, False),
        (b"7<pipe:[87785]>", 7, None, False),
    ],
)
def test_descriptors(written: bytes, number: int, path: bytes | None, deleted: bool) -> None:
    """Notes of -y and -yy are told from descriptions of what has no path."""
    assert parse_descriptor(written) == (number, path, deleted)


@pytest.mark.parametrize(
    ("rest", "begun"),
    [
        (b'AT_FDCWD, "x" <unfinished ...>', b'AT_FDCWD, "x"'),
        (b" <unfinished ...>", b""),
        (b"0,  <detached ...>", b"0,"),
        (b'"/bin/true", ["true"], 0x7 <pid changed to 3036 ...>', b'"/bin/true", ["true"], 0x7'),
        (b'"<unfinished ...>", 0) = 0', None),
        (b'"x", 0) = 0', None),
    ],
)
def test_unfinished_calls(rest: bytes, begun: bytes | None) -> None:
    """Only a mark at the very end, outside of any string, tells that a call goes on later."""
    assert first_part(rest) == begun


def test_own_words_of_strace_break_a_line() -> None:
    """With its log on stderr strace writes into the middle of its own lines."""
    line = b"clone(child_stack=NULL, flags=SIGCHLDstrace: Process 30415 attached"
    assert split_interruption(line) == (
        b"clone(child_stack=NULL, flags=SIGCHLD",
        30415,
        True,
    )
    assert split_interruption(b"strace: Process 30415 attached") is None


def test_unescape_leaves_unknown_escapes_readable() -> None:
    """A backslash never swallows what it stands before."""
    assert unescape(b"\\q\\8") == b"q8"
