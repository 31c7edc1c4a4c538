"""What a program is called, from the file that was executed."""

import re
from collections.abc import Sequence

_WRAPPED = re.compile(rb"\.(.+)-wrapped_*")


_INTERPRETER = re.compile(
    rb"(?:(?:ba|da|k|mk|z|fi)?sh|busybox|node(?:js)?|deno|bun|gjs|Rscript|env"
    rb"|(?:python|pypy|perl|ruby|lua|luajit|tclsh|wish|php|guile)[\d.]*)"
)
_MODULE = b"-m"


def script_name(exe: bytes, argv: Sequence[bytes]) -> bytes | None:
    """Name the script that an interpreter was started with; None where it runs none.

    The kernel gives an interpreter the script's name as it was called: where that is a symbolic
    link, as npm and pip make them, this is the only place where its name stands.

    >>> script_name(b"/usr/bin/node", [b"node", b"/usr/bin/npm", b"install"])
    b'npm'
    >>> script_name(b"/usr/bin/python3", [b"python3", b"-m", b"radicale"])
    b'radicale'
    """
    if not _INTERPRETER.fullmatch(program_name(exe)):
        return None
    words = list(argv[1:])
    if words[:1] == [_MODULE] and len(words) > 1:
        return words[1].partition(b".")[0]
    # Whatever follows an option may be its value.
    script = words[0] if words and not words[0].startswith(b"-") else b""
    return program_name(script) if b"/" in script else None


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
