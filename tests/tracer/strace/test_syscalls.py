"""One set of facts in two languages: the table by name, and the table by number in C."""

import re
from pathlib import Path

import pytest

from imptrace.tracer.events import Op
from imptrace.tracer.syscalls import SYSCALLS, Naming

CALLS = Path(__file__).parents[3] / "tracer/native/calls.c"
_ENTRY = re.compile(r'\t(ONE|AT)\("(\w+)", ([^)]*)\)|\t\{ "(\w+)", ([^}]*) \}')
_NAMED_BY_STRACE = {"chown16": "chown", "lchown16": "lchown", "fchown16": "fchown"}
_STATE_ONLY = {"CALL_SOCKETCALL", "CALL_WORLD", "CALL_EXIT", "CALL_LISTENER"}


def _number(text: str) -> int | None:
    return None if text == "NO_ARG" else int(text)


def _entries() -> list[tuple[str, str, str, list[int | None]]]:
    """Read name, kind, op and positions (dirfd, path, flags, dirfd2, path2) from the C source."""
    found = []
    for form, name, rest, plain_name, plain_rest in _ENTRY.findall(CALLS.read_text()):
        _, _, _, kind, op, *positions = (word.strip() for word in (rest or plain_rest).split(","))
        numbers = [_number(position) for position in positions]
        if form == "ONE":
            numbers = [None, *numbers, None, None, None]
        elif form == "AT":
            numbers = [*numbers, None, None]
        if kind not in _STATE_ONLY:
            found.append((name or plain_name, kind, op, numbers))
    return found


@pytest.mark.parametrize(("name", "kind", "op", "numbers"), _entries())
def test_the_tables_agree(name: str, kind: str, op: str, numbers: list[int | None]) -> None:
    """Each call that the other recorders know is read from logs, with the same meaning."""
    call = SYSCALLS[_NAMED_BY_STRACE.get(name, name)]
    assert call.kind is Naming(kind.removeprefix("CALL_").lower())
    assert [call.dirfd, call.path, call.flags, call.dirfd2, call.path2] == numbers
    if op.startswith("OP_"):
        assert call.op is Op(op.removeprefix("OP_").lower())


def test_no_other_call_is_read() -> None:
    """What logs have besides are the names that strace gives to 32-bit variants."""
    known = {_NAMED_BY_STRACE.get(name, name) for name, *_ in _entries()}
    assert len(known) > 40
    assert SYSCALLS.keys() - known <= {"chown32", "lchown32", "fchown32", "fstatat64"}
