"""What a program is called, from the file that was executed."""

import re

_WRAPPED = re.compile(rb"\.(.+)-wrapped_*")


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
