"""Time spans as systemctl shows them: systemd.time(7)."""

import re

_UNITS_MS = {
    "us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
    "w": 604_800_000, "month": 2_629_800_000, "y": 31_557_600_000,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w|month|y)", re.ASCII)


def milliseconds(text: str) -> int | None:
    """Read a span such as `1min 30s`; None for `infinity` and what is none."""
    parts = [_PART.fullmatch(word) for word in text.split()]
    if not parts or None in parts:
        return None
    return int(sum(float(part[1]) * _UNITS_MS[part[2]] for part in parts if part))
