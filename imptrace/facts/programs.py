"""What a program is called, from the file that was executed."""

import re
from collections.abc import Sequence

_WRAPPED = re.compile(rb"\.(.+)-wrapped_*")


_INTERPRETER = re.compile(
    rb"(?:(?:ba|da|k|mk|z|fi)?sh|busybox|node(?:js)?|deno|bun|gjs|Rscript|env"
    rb"|(?:python|pypy|perl|ruby|lua|luajit|tclsh|wish|php|guile)[\d.]*)"
)
_FLAGS = re.compile(
    rb"(?:python|pypy)[\d.]* -[bBdEIOPqsSuvx]+|perl[\d.]* -[wWtT]+|(?:ba|da|k|mk|z)?sh -[efuvx]+"
)
"""Of an interpreter, without values: what the first line of a script gives it, in one word."""
_MODULE = b"-m"
_COMMAND = b"-c"
_SHELL = re.compile(rb"(?:ba|da|k|mk|z|fi|a)?sh|nu|elvish|xonsh")


def script_name(exe: bytes, argv: Sequence[bytes]) -> bytes | None:
    """Name the script that an interpreter was started with; None where it runs none.

    The kernel gives an interpreter the script's name as it was called: where that is a symbolic
    link, as npm and pip make them, this is the only place where its name stands.

    >>> script_name(b"/usr/bin/node", [b"node", b"/usr/bin/npm", b"install"])
    b'npm'
    >>> script_name(b"/usr/bin/python3", [b"python3", b"-m", b"radicale"])
    b'radicale'
    >>> script_name(b"/usr/bin/python3.11", [b"python3", b"-O", b"/usr/bin/ranger"])
    b'ranger'
    """
    if not _INTERPRETER.fullmatch(program_name(exe)):
        return None
    words = list(argv[1 + _flags(exe, argv) :])
    if words[:1] == [_MODULE] and len(words) > 1:
        return words[1].partition(b".")[0]
    # Whatever follows any other option may be its value.
    script = words[0] if words and not words[0].startswith(b"-") else b""
    return program_name(script) if b"/" in script else None


def names_of(exe: bytes, argv: Sequence[bytes]) -> tuple[bytes, ...]:
    """What a process is called: its executable, the name that it was started under, its script.

    They differ where one executable has several names, each for another task.
    """
    called = argv[0].rpartition(b"/")[2] if argv else b""
    found = (program_name(exe), called, script_name(exe, argv))
    return tuple(dict.fromkeys(name for name in found if name))


def words_of_program(exe: bytes, argv: Sequence[bytes]) -> tuple[bytes, ...]:
    """Keep of a command line what names the program and its script, and no argument.

    >>> words_of_program(b"/usr/bin/mysql", [b"mysql", b"-psecret"])
    (b'mysql',)
    >>> words_of_program(b"/usr/bin/bash", [b"bash", b"-c", b"mysql -psecret"])
    (b'bash', b'-c')
    >>> words_of_program(b"/usr/bin/python3", [b"python3", b"/usr/bin/ranger", b"/home/u"])
    (b'python3', b'/usr/bin/ranger')
    """
    called = argv[0].rpartition(b"/")[2].partition(b" ")[0] if argv else b""
    words = [called] if called else []
    start = 1 + _flags(exe, argv)
    first = argv[start] if len(argv) > start else b""
    if first and _INTERPRETER.fullmatch(program_name(exe)):
        if first == _MODULE:
            words += argv[1 : start + 2]
        elif first == _COMMAND or not (first.startswith(b"-") or b"=" in first):
            words += argv[1 : start + 1]
    return tuple(words)


def _flags(exe: bytes, argv: Sequence[bytes]) -> int:
    """Count the words before the script that are flags without a value: 0 or 1."""
    return len(argv) > 1 and _FLAGS.fullmatch(program_name(exe) + b" " + argv[1]) is not None


def is_asked_shell(exe: bytes, argv: Sequence[bytes]) -> bool:
    """Whether a process is a shell that somebody types into, or that reads what to do.

    What it starts is no part of what started the shell.
    """
    is_shell = _SHELL.fullmatch(program_name(exe)) is not None
    return is_shell and len(words_of_program(exe, argv)) <= 1


def program_name(exe: bytes) -> bytes:
    """Return an executable's base name; Nix's wrappers are looked through.

    nixpkgs' wrapProgram moves a program to `.NAME-wrapped` beside each wrapper that it makes, and
    appends "_" where that name is taken.

    >>> program_name(b"/nix/store/...-firefox-145/bin/.firefox-wrapped")
    b'firefox'
    """
    name = exe.rpartition(b"/")[2]
    while wrapped := _WRAPPED.fullmatch(name):
        name = wrapped[1]
    return name
