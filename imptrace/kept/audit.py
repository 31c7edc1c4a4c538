"""What a NixOS configuration declares to leave on disk, against what it keeps: asked of Nix."""

from importlib.resources import as_file, files
from pathlib import Path

from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.given import read_given
from imptrace.facts.nix_command import EVAL, NixError, ask_nix
from imptrace.kept.inventory import Inventory, read


def audit_flake(reference: str) -> Inventory:
    """Evaluate REF#HOST, which need not import our modules."""
    flake, found, host = reference.partition("#")
    if not found or not flake or not host:
        raise UsageError(f"{reference!r} names no system of a flake: write it as REF#HOST")
    if any(char in host for char in '"\\$'):
        raise UsageError(f"{host!r} is no name of a system")
    with as_file(files("imptrace.nix")) as nix:
        command = [
            *EVAL,
            # The function to apply lies outside of the flake.
            "--impure",
            f'{flake}#nixosConfigurations."{host}"',
            "--apply",
            f"import {nix}/lib/audit.nix",
        ]
        return read(_run(command), reference)


def audit_file(path: Path) -> Inventory:
    """Read what `nix eval --json` printed of the option `inventory`."""
    try:
        text = read_given(path).decode()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text: {error.reason}") from error
    return read(text, str(path))


def _run(command: list[str]) -> str:
    try:
        return ask_nix(*command).decode(errors="replace")
    except NixError as error:
        raise ImptraceError(f"nix cannot evaluate it: {error}") from error
