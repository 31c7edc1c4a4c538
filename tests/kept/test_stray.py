"""What lies in a store for nobody."""

import json
import os
import time
from pathlib import Path

import pytest
from command_line import Ask
from recordings import START, access, process, record

from imptrace.db.engine import reading
from imptrace.kept.stray import StrayAnswer, declared_here, stray
from imptrace.kept.walk import Tree
from imptrace.kept.wiped import store_of
from imptrace.tracer.events import Op
from imptrace.tracer.mountinfo import parse_mountinfo


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Path:
    """Keep thirty paths, and leave a hundred others beside them."""
    store = tmp_path / "store"
    for number in range(30):
        (store / f"var/lib/kept{number}/deep").mkdir(parents=True)
        (store / f"var/lib/kept{number}/deep/file").write_text("x")
    for number in range(50):
        (store / f"var/lib/left{number}").mkdir()
        (store / f"var/lib/left{number}/file").write_text("x" * number)
        (store / f"top{number}").write_text("x")
    return store


@pytest.fixture(name="declared")
def _declared(store: Path, tmp_path: Path) -> Path:
    file = tmp_path / "declared.json"
    kept = [f"/var/lib/kept{number}" for number in range(30)] + ["/var/lib/not-there"]
    file.write_text(json.dumps({str(store): {"directories": kept, "files": []}}))
    return file


def test_a_hundred_are_found_and_nothing_else(ask: Ask, store: Path, declared: Path) -> None:
    answered = ask("stray", str(store), "--declared", str(declared), "--json", "--check")
    answer = json.loads(answered.out)
    assert (answered.code, answer["declared"]) == (1, 31)
    expected = {str(store / f"top{n}") for n in range(50)}
    expected |= {str(store / f"var/lib/left{n}") for n in range(50)}
    assert {each["path"] for each in answer["stray"]} == expected
    assert answer["stray"][0]["size"] == 49
    table = ask("stray", str(store), "--declared", str(declared))
    assert table.code == 0
    assert "nothing is deleted" in table.err
    assert (store / "top1").exists()


def test_what_is_mounted_from_a_store_is_declared(tmp_path: Path) -> None:
    table = b"""21 20 8:2 / /persist rw - ext4 /dev/sda2 rw
22 20 8:2 /var/lib/a /var/lib/a rw - ext4 /dev/sda2 rw"""
    mounts = parse_mountinfo(table.splitlines())
    assert store_of(mounts[1], mounts) == b"/persist"
    assert declared_here(Tree(os.fsencode(tmp_path)), mounts, None) == {
        b"/persist": {b"/var/lib/a"}
    }


def test_what_nothing_used_for_long_is_told_with_who_used_it_last(
    store: Path, tmp_path: Path
) -> None:
    database = tmp_path / "runs.db"
    events = [
        process(exe=b"/usr/bin/keeper"),
        access(Op.READ, b"/var/lib/kept1/deep/file"),
        access(Op.READ, b"/var/lib/left2/file"),
    ]
    record(database, events)
    age = time.time_ns() - START.started_ns
    kept = {os.fsencode(store): {b"/var/lib/kept%d" % number for number in range(30)}}
    with reading(str(database)) as engine:

        def asked(unused_ns: int) -> StrayAnswer:
            return stray(list(kept), kept, engine, unused_ns)

        found = {each.place: each for each in asked(age // 2).stray}
    assert found[b"/var/lib/kept1"].why == "unused"
    last = found[b"/var/lib/left2"].last
    assert last is not None
    assert last.program == b"keeper"


@pytest.mark.parametrize(
    "arguments",
    [
        ("/no/such",),
        ("--unused", "soon"),
        ("--declared", "/no/such"),
        ("STORE",),
        ("STORE", "--declared", "FILE", "--unused", "90d"),
    ],
)
def test_an_error_is_one_line(
    ask: Ask, store: Path, declared: Path, arguments: tuple[str, ...]
) -> None:
    real = {"STORE": str(store), "FILE": str(declared)}
    answered = ask("stray", *(real.get(each, each) for each in arguments))
    assert answered.code == 2
    assert answered.err.count("\n") == 1
