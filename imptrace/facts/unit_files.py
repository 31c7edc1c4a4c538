"""The settings of a unit file of systemd, as systemd.syntax(7) has them."""

from collections.abc import Iterator

WHITESPACE = " \t\n\r"


def directives(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, key and value of every setting, in their order; values as written."""
    section = ""
    for line in _logical_lines(text):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, _, value = line.partition("=")
            yield section, key.rstrip(WHITESPACE), value.strip(WHITESPACE)


def _logical_lines(text: str) -> Iterator[str]:
    """Join continued lines; leave comments out, also those between continued lines."""
    pending = ""
    for raw in text.split("\n"):
        line = raw.lstrip(WHITESPACE)
        if line.startswith(("#", ";")):
            continue
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            pending += line[:-1] + " "
            continue
        if whole := (pending + line).strip(WHITESPACE):
            yield whole
        pending = ""
    if whole := pending.strip(WHITESPACE):
        yield whole
