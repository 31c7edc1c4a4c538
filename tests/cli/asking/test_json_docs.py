"""docs/json.md tells of every key of every answer, and its example is one."""

import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from imptrace.render import run_json
from imptrace.tracer.events import FileType, Op

PAGE = (Path(__file__).parents[3] / "docs" / "json.md").read_text(encoding="utf-8")
SHAPES = [
    shape
    for shape in vars(run_json).values()
    if isinstance(shape, type) and hasattr(shape, "__required_keys__")
]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_key_is_explained(shape: type) -> None:
    for key in get_type_hints(shape):
        assert f"`{key}`" in PAGE or f'"{key}"' in PAGE


def test_every_word_is_explained() -> None:
    for word in (*Op, *(kind for kind in FileType if kind is not FileType.ABSENT)):
        assert f"`{word}`" in PAGE


def first_example(schema: str) -> Any:
    """Read the example in the section about a schema."""
    section = PAGE[PAGE.index(f"## {schema}") :]
    return json.loads(section[section.index("```json") + len("```json") :].partition("```")[0])


def test_the_example_has_the_form_of_an_answer() -> None:
    example, use = map(first_example, ("imptrace.run/1", "imptrace.files/1"))
    assert set(example) == set(get_type_hints(run_json.RunAnswer))
    assert set(example["run"]) == set(get_type_hints(run_json.RunJson))
    assert set(example["processes"][0]) == set(get_type_hints(run_json.ProcessJson))
    path = set(get_type_hints(run_json.PathJson)) - {"path_b64"}
    assert set(example["paths"][0]) == path
    assert set(example["paths"][0]["after"]) == set(get_type_hints(run_json.StateJson))
    assert set(use) == set(get_type_hints(run_json.UseJson)) - {"path_b64"}
