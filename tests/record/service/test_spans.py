"""Time spans are read as systemctl writes them."""

import pytest

from imptrace.record.service.spans import milliseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1min 30s", 90_000),
        ("5s", 5000),
        ("2.500s", 2500),
        ("1y 2month 3d", 31_557_600_000 + 2 * 2_629_800_000 + 3 * 86_400_000),
        ("500us", 0),
        ("infinity", None),
        ("", None),
        ("ten minutes", None),
    ],
)
def test_a_span(text: str, expected: int | None) -> None:
    """As milliseconds; without an end it is none."""
    assert milliseconds(text) == expected
