"""What a program is called, from the file that was executed."""

_WRAPPED = b"-wrapped"


def program_name(exe: bytes) -> bytes:
    """Return an executable's base name; Nix's wrappers are looked through.

    nixpkgs' wrapProgram moves a program to `.NAME-wrapped` beside each wrapper that it makes.

    >>> program_name(b"/nix/store/...-firefox-145/bin/.firefox-wrapped")
    b'firefox'
    """
    name = exe.rpartition(b"/")[2]
    while name.startswith(b".") and name.endswith(_WRAPPED) and len(name) > len(_WRAPPED) + 1:
        name = name[1 : -len(_WRAPPED)]
    return name
