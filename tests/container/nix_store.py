"""As much of a Nix store as scripts of NixOS need that run on another distribution.

What Nix would build is made from its derivation where that only writes a text, or copies a file;
in place of a package stands a link to where this distribution has its programs.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

STORE_PATH = re.compile(r"/nix/store/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+")
OUTPUT = re.compile(r'\("[^"]*","(/nix/store/[^"]+)","[^"]*","[^"]*"\)')
VARIABLE = re.compile(r'\("((?:[^"\\]|\\.)*)","((?:[^"\\]|\\.)*)"\)')
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
TARGET = re.compile(r"^target=\$out'?([^'\n]*)", re.MULTILINE)
COPY = re.compile(r"\s*cp\s+(\S+)\s+\$out\s")
PROGRAMS = {"postgresql": "/usr/lib/postgresql/15"}
EVERYTHING_ELSE = "/usr"


def furnish(store: Path, texts: Iterable[str]) -> None:
    """Make all that the texts name below `store`, which Nix has evaluated into."""
    derivations = dict(_derivations(store))
    open_texts = list(texts)
    while open_texts:
        for name in set(STORE_PATH.findall(open_texts.pop())):
            place = store / name.lstrip("/")
            if place.is_symlink() or place.is_dir():
                continue
            if place.exists():
                # Nix makes files in the store executable only when it builds them.
                place.chmod(0o755)
            elif made := _make(place, derivations.get(name)):
                open_texts.append(made)


def _derivations(store: Path) -> Iterator[tuple[str, Path]]:
    for file in (store / "nix/store").glob("*.drv"):
        for output in OUTPUT.findall(file.read_text().partition("],[")[0]):
            yield output, file


def _make(place: Path, derivation: Path | None) -> str:
    """Make one path of the store; answers the text in it, which may name more of them."""
    variables = _variables(derivation) if derivation else {}
    command = variables.get("buildCommand", "")
    copied = COPY.match(command)
    target = TARGET.search(command)
    if "text" in variables:
        text = variables["text"]
        file = place / (target[1].lstrip("/") if target else "")
    elif copied:
        text = (place.parent / Path(copied[1]).name).read_text()
        file = place
    else:
        name = place.name.partition("-")[2]
        matching = [place for start, place in PROGRAMS.items() if name.startswith(start)]
        place.symlink_to((matching or [EVERYTHING_ELSE])[0])
        return ""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return text


def _variables(derivation: Path) -> dict[str, str]:
    found = VARIABLE.findall(derivation.read_text().rpartition("],[(")[2])
    return {name: ESCAPED.sub(_unescaped, value) for name, value in found}


def _unescaped(escape: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t", "r": "\r"}.get(escape[1], escape[1])
