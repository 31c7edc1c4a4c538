"""Reads the plain TOML that catalogue files are written in, several times as fast as tomllib.

Only what needs no judgement is read here: `key = value` on one line and `[[table]]`, without
escapes, comments or dotted keys. Everything else, and every mistake, is left to tomllib.
"""

import re

_TEXT = r'"[^"\\\x00-\x1f\x7f]*"'
_LINE = re.compile(
    r"(?:\[\[([a-z-]+)\]\]|"
    rf"([a-z-]+) = (?:({_TEXT})|\[((?:{_TEXT}(?:, {_TEXT})*)?)\]|(true|false)|(0|[1-9][0-9]*)))?\n"
)


def read_plain(text: str) -> dict[str, object] | None:
    """Answer with the tables and values of `text`; None where tomllib has to be asked."""
    top: dict[str, object] = {}
    lists: dict[str, list[dict[str, object]]] = {}
    table = top
    place = 0
    while place < len(text):
        line = _LINE.match(text, place)
        if line is None:
            return None
        place = line.end()
        name, key, string, strings, flag, number = line.groups()
        if name is not None:
            if name in top and name not in lists:
                return None
            table = {}
            top[name] = lists.setdefault(name, [])
            lists[name].append(table)
        elif key is not None:
            if key in table:
                return None
            table[key] = _value(string, strings, flag, number)
    return top


def _value(string: str | None, strings: str | None, flag: str | None, number: str | None) -> object:
    if string is not None:
        return string[1:-1]
    if strings is not None:
        return strings[1:-1].split('", "') if strings else []
    return flag == "true" if flag is not None else int(number or "")
