"""What other tools have to say about Nix that was written: the formatter and the parser of Nix."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from imptrace.contribute.nix_source.tree import NixSyntaxError, parse
from imptrace.contribute.proposal import shown
from imptrace.facts.commands import CommandError, answer_of
from imptrace.facts.nix_command import NixError, ask_nix

FORMATTERS = {"alejandra": ("alejandra", "--quiet"), "nixfmt": ("nixfmt",)}
_LIMIT_SECONDS = 60


def formatted(source: bytes, old: bytes | None, neighbours: Sequence[bytes]) -> bytes:
    """Run the formatter that the repository uses over `source`, if it is installed.

    That is one which has nothing to say about the old file (or, for a new one, about its
    neighbours): where the old file does not follow it, only our lines would be ours.
    """
    samples = [old] if old is not None else list(neighbours)
    for name, command in FORMATTERS.items():
        if shutil.which(name) and samples and all(_run(command, each) == each for each in samples):
            result = _run(command, source)
            return source if result is None else result
    return source


def check_nix(path: str, source: bytes, old: bytes | None = None) -> None:
    """Raise NixSyntaxError unless the grammar, and Nix itself where it is installed, accept it.

    `old`: what it was made from. A Nix that is too old for that says nothing of the new.
    """
    parse(source, path)
    if shutil.which("nix-instantiate") is None:
        return
    why = _refusal(source)
    if why is not None and (old is None or _refusal(old) is None):
        raise NixSyntaxError(f"Nix does not accept the new {shown(path)}: {why}")


def _refusal(source: bytes) -> NixError | None:
    try:
        ask_nix("nix-instantiate", "--parse", "-", given=source, seconds=_LIMIT_SECONDS)
    except NixError as error:
        return error
    return None


def _run(command: Sequence[str], source: bytes) -> bytes | None:
    """Give what a formatter makes of a source, None if it fails."""
    with tempfile.TemporaryDirectory(prefix="imptrace-") as directory:
        file = Path(directory, "file.nix")
        file.write_bytes(source)
        try:
            answer_of(*command, str(file), seconds=_LIMIT_SECONDS)
        except CommandError:
            return None
        return file.read_bytes()
