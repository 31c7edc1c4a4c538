"""A file of its own for what the configuration has no place for."""

from collections.abc import Sequence
from pathlib import Path

from imptrace.judge.model import Advice, Recommendation, Subject
from imptrace.render.nix import Target, nix

NAME = "kept-by-imptrace.nix"


def new_file(wanted: Sequence[Recommendation], target: Target | None, storage: bytes) -> str:
    """Write a module that keeps what is wanted: for impermanence unless the place is another's."""
    advice = Advice(
        subject=Subject(program=None),
        runs=(),
        recommendations=tuple(wanted),
        set_aside=(),
    )
    text, _ = nix([advice], target or Target.IMPERMANENCE, storage)
    return text


def where(files: Sequence[Path]) -> Path:
    """Choose where it stands: beside the configuration's first file."""
    tops = [file for file in files if file.name in ("configuration.nix", "default.nix")]
    directory = min((tops or list(files)), key=lambda file: len(file.parts)).parent
    return directory / NAME
