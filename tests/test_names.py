"""A name means one thing: no two classes of the project are called alike."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINKS = {"tracer", "db", "nix"}


def modules() -> list[Path]:
    """List the modules, each once: what is linked below imptrace/ stands beside it."""
    own = [
        path
        for path in (ROOT / "imptrace").rglob("*.py")
        if path.relative_to(ROOT / "imptrace").parts[0] not in LINKS
    ]
    return [*own, *(ROOT / "tracer").rglob("*.py"), *(ROOT / "db").rglob("*.py")]


def test_no_two_classes_are_called_alike() -> None:
    """Not even where one of them is private to its module."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert len(places) > 300
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
