"""Files that a user names hold anything: a command answers, or says in one line that it cannot."""

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from itertools import cycle
from pathlib import Path
from typing import Any

import forked
import pytest

CODES = {0, 1, 2, 125}
STEP = (
    1 if os.environ.get("IMPTRACE_FUZZ") else 53
)  # from fuzzing import budget: benchmarks.fuzz does all
"""Of all that can be put into a file, every so many is."""
VALUES: tuple[object, ...] = (
    None, -1, 1 << 70, 1e308, "", "a text", "/../../etc", "\x1b[31m\u202e\x9b\n", "\ud800", "/a\0b",
    [], {}, [[]], "/" + "a/" * 3000,
)  # fmt: skip
WHOLE = (
    b"", b"\0\xff", b"[" * 100_000, b'{"a":' * 50_000, b"null", b"9" * 10_000, b"\xef\xbb\xbf{}",
    b'{"a": "\xff"}', b"NaN",
)  # fmt: skip
DECLARED = {
    "/persistent": {
        "directories": ["/var/lib/demo", {"directory": "/var/lib/x", "mode": "0700"}],
        "files": [{"file": "/etc/machine-id"}],
        "users": {"someone": {"home": "/home/someone", "directories": [".config/x"]}},
    }
}
INVENTORY = {
    "mounts": 3,
    "inventory": [
        {"path": "/var/lib/x", "kind": "state", "level": "normal", "declaredBy": ["a"]},
    ],
}
LOST = {
    "schema": "imptrace.saved-leaks/1",
    "boot": "an older one",
    "leaks": [
        {
            "path": "L3Zhci9saWIvcQ==", "kind": "directory", "size": 1, "files": 1, "mtime_ns": 1,
            "level": "important", "scope": "system", "user": "root", "option": None,
            "attributed": "recorded", "writers": [["p", "u", "root"]],
        },
    ],
}  # fmt: skip
OF_MODULE = {
    "backend": "impermanence",
    "stores": ["/persistent"],
    "kept": [{"path": "/var/lib/x", "store": "/persistent", "declaredBy": "a"}],
}
KEPT = {"path": "/var/lib/x", "kind": "directory", "level": "normal", "mode": "0700"}
GIVEN: dict[str, tuple[Any, tuple[str, ...]]] = {
    "stray": (DECLARED, ("stray", "store", "--declared", "given.json")),
    "move": (DECLARED, ("move", "--store", "store", "--config", "given.json", "--dry-run")),
    "audit": (INVENTORY, ("audit", "given.json")),
    "lost": (LOST, ("lost", "--root", "root", "--list", "given.json")),
    "leaks": (OF_MODULE, ("leaks", "--root", "root")),
    "undo": (
        {"copies": {"L3Zhci9saWIvcQ==": ["a"]}, "made": ["L3Zhcg=="], "stopped": []},
        ("move", "--undo", "--store", "store", "--dry-run"),
    ),
    "advice": (
        {"recommendations": [KEPT]},
        ("rehearse", "none", "--advice", "given.json", "--", "/none"),
    ),
}
"""What a file holds that is right, and the command that reads it."""


def _with_others(right: Any) -> Iterator[bytes]:
    """Give a file with every other value at every place, and without each."""
    for place in _places(right):
        for value in VALUES:
            yield json.dumps(_changed(right, place, value)).encode()


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*place, key))


def _changed(value: Any, place: tuple[Any, ...], new: object) -> Any:
    if not place:
        return new
    changed = deepcopy(value)
    within = changed
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = new
    return changed


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory with a store and a system."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IMPTRACE_DB", str(tmp_path / "runs.db"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store/.imptrace-move").mkdir(parents=True)
    (tmp_path / "root/var/lib").mkdir(parents=True)
    (tmp_path / "root/etc/imptrace").mkdir(parents=True)
    return tmp_path


def _file(place: Path, kind: str) -> Path:
    elsewhere = {"undo": "store/.imptrace-move/journal", "leaks": "root/etc/imptrace/kept.json"}
    return place / elsewhere.get(kind, "given.json")


def _check(words: tuple[str, ...], content: bytes) -> None:
    done = forked.run_text(*words, timeout=30)
    assert done.returncode in CODES, (content[:300], done.stderr)
    assert "internal error" not in done.stderr, (content[:300], done.stderr)
    assert "Traceback" not in done.stderr, content[:300]
    assert all(each.isprintable() or each == "\n" for each in done.stderr), content[:300]
    if done.returncode in (2, 125):
        assert done.stderr.count("\n") == 1, (content[:300], done.stderr)


@pytest.mark.parametrize("kind", GIVEN)
def test_a_file_that_holds_anything(place: Path, kind: str) -> None:
    """Values of every other kind, no JSON at all, too deep."""
    right, words = GIVEN[kind]
    file = _file(place, kind)
    contents = [json.dumps(right).encode(), *WHOLE, *list(_with_others(right))[::STEP]]
    for content in contents:
        file.write_bytes(content)
        _check(words, content)


@pytest.mark.parametrize("kind", GIVEN)
def test_what_is_no_file_that_ends(place: Path, kind: str) -> None:
    """It is not read for ever, nor into all the memory there is."""
    file, words = _file(place, kind), GIVEN[kind][1]
    for make in (
        lambda: file.symlink_to("/dev/zero"),
        lambda: file.symlink_to("/proc/self/mem"),
        lambda: file.symlink_to(file),
        file.mkdir,
    ):
        make()
        _check(words, b"")
        if not file.is_symlink():
            file.rmdir()
        file.unlink(missing_ok=True)


@pytest.fixture
def evidence(place: Path) -> list[bytes]:
    """Record a program, and give its evidence line by line."""
    program = ("sh", "-c", "mkdir .demo; echo x > .demo/state; cat .demo/state")
    assert forked.run_text("run", "-q", "--recorder", "ptrace", *program).returncode == 0
    done = forked.run("export", "latest", "-o", place / "evidence")
    assert done.returncode == 0, done.stderr
    return (place / "evidence").read_bytes().splitlines(keepends=True)


def test_evidence_that_holds_anything(place: Path, evidence: list[bytes]) -> None:
    """It is refused, or can be asked about."""
    turns = cycle((("show", "latest"), ("recommend", "latest"), ("export", "latest", "--dry-run")))
    changed = [
        [*evidence[:at], line + b"\n", *evidence[at + 1 :]]
        for at in range(len(evidence))
        for line in _with_others(json.loads(evidence[at]))
    ]
    for content in changed[:: 4 * STEP]:
        (place / "evidence").write_bytes(b"".join(content))
        (place / "its.db").unlink(missing_ok=True)
        _check(("import", "--db", "its.db", "evidence"), b"".join(content))
        if (place / "its.db").exists():
            _check((*next(turns), "--db", "its.db"), b"".join(content))


def test_evidence_without_an_end_of_line(place: Path, evidence: list[bytes]) -> None:
    """A line is read as far as evidence can have one."""
    with (place / "evidence").open("wb") as file:
        file.write(evidence[0])
        file.truncate(1 << 40)
    _check(("import", "evidence"), evidence[0])
