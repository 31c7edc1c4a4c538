"""JSON as text: one line per element of the answer's lists, for reading, grep and diff alike."""

import json
from collections.abc import Mapping


def dump(answer: Mapping[str, object]) -> str:
    """Write an answer. ASCII only, so that no terminal and no encoding is upset by it."""
    members = (f"  {json.dumps(key)}: {_value(value)}" for key, value in answer.items())
    return "{\n" + ",\n".join(members) + "\n}"


def _value(value: object) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    # The standard library's own indentation is written in Python, and ten times slower.
    return "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"
