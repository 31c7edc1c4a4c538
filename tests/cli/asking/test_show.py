"""`imptrace show`: every key of its JSON, and text that is a pleasure to read."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Ask
from recordings import ENDED_NS, FILE, HOME, START, create, details, record

from imptrace.render.run_text import RunView, run_text
from imptrace.render.screen import Screen

pytestmark = pytest.mark.usefixtures("place")

STATE = {
    "type": "file",
    "size": 4096,
    "mode": "0600",
    "uid": 1000,
    "gid": 100,
    "mtime_ns": FILE.mtime_ns,
    "inode": 42,
}


@pytest.fixture
def answer(ask: Ask) -> dict[str, Any]:
    """Ask for the first run in JSON."""
    code, out, err = ask("show", "first", "--json")
    assert (code, err) == (0, "")
    assert out.isascii()
    return json.loads(out)


def path(answer: dict[str, Any], name: bytes) -> dict[str, Any]:
    (found,) = (
        entry
        for entry in answer["paths"]
        if entry["path"] == name.decode(errors="backslashreplace")
    )
    return found


def test_json_of_a_run(answer: dict[str, Any]) -> None:
    assert list(answer) == ["schema", "run", "processes", "paths"]
    assert answer["schema"] == "imptrace.run/1"
    assert answer["run"] == {
        "id": 1,
        "label": "first",
        "program": "demo",
        "argv": ["demo", "--fast", "it's \x1b[31mred"],
        "cwd": "/home/someone",
        "user": "someone",
        "uid": 1000,
        "host": START.host,
        "started": "2023-11-14T22:13:20.000000+00:00",
        "ended": "2023-11-14T22:13:22.500000+00:00",
        "exit": {"code": 0, "signal": None},
        "recorder": "notify",
        "status": "complete",
        "lost": 0,
        "unseen": 0,
        "service": None,
        "warnings": [],
    }
    assert ENDED_NS - START.started_ns == 2_500_000_000


def test_json_of_processes(answer: dict[str, Any]) -> None:
    assert [entry["id"] for entry in answer["processes"]] == [1, 2, 3, 4, 5, 6]
    assert answer["processes"][2] == {
        "id": 3,
        "pid": 4002,
        "parent": 1,
        "previous": 2,
        "exe": "/usr/bin/other",
        "argv": ["other"],
        "cwd": "/home/someone",
        "uid": 1000,
        "gid": 100,
        "unit": "app-demo.scope",
    }


def test_json_of_a_path_that_was_modified(answer: dict[str, Any]) -> None:
    assert path(answer, HOME + b"/.demo/state.db") == {
        "path": "/home/someone/.demo/state.db",
        "type": "file",
        "ops": {"read": 1, "write": 3},
        "outcome": "ok",
        "effect": "modified",
        "read_first": True,
        "before": STATE,
        "after": STATE | {"size": 5000, "mtime_ns": FILE.mtime_ns + 1},
        "hint": None,
        "link": None,
        "processes": [1, 2],
    }


def test_json_of_a_path_that_is_no_text(answer: dict[str, Any]) -> None:
    found = path(answer, HOME + b"/.demo/new/\xff\n")
    assert found["path"] == "/home/someone/.demo/new/\\xff\n"
    assert found["path_b64"] == "L2hvbWUvc29tZW9uZS8uZGVtby9uZXcv/wo="
    assert (found["effect"], found["before"], found["after"]) == ("created", None, STATE)


def test_json_of_other_paths(answer: dict[str, Any]) -> None:
    assert [entry["path"] for entry in answer["paths"]] == sorted(
        entry["path"] for entry in answer["paths"]
    )
    assert path(answer, b"/etc/shadow")["outcome"] == "denied"
    passwd = path(answer, b"/etc/passwd")
    assert (passwd["ops"], passwd["effect"], passwd["type"]) == ({"read": 2}, None, None)
    deleted = path(answer, HOME + b"/.demo/old")
    assert (deleted["effect"], deleted["type"], deleted["after"]) == ("deleted", "file", None)
    assert path(answer, HOME + b"/.demo/new")["type"] == "directory"
    assert path(answer, HOME + b"/.demo/current")["type"] == "symlink"
    assert path(answer, b"/tmp/scratch")["effect"] == "unchanged"
    assert path(answer, HOME + b"/.demo/a")["ops"] == {"rename": 1}


def test_text_shows_what_changed_first_and_says_what_it_left_out(ask: Ask) -> None:
    code, out, err = ask("show", "first")
    assert (code, err) == (0, "")
    heading, started, took, *rest = out.splitlines()
    assert heading == r"Run 1 “first”  demo --fast 'it'\''s \x1b[31mred'"
    assert started.endswith(f"by someone on {START.host}, in ~")
    assert took == "  took 2.5 s, exit 0, recorder notify"
    assert rest == [
        "",
        "Processes",
        r"  4001 demo --fast 'it'\''s \x1b[31mred'",
        "  └── 4002 helper → other",
        "      └── cc, 3 processes",
        "",
        "Created (4)",
        "  4.1 kB  0600  ~/.demo/a  (by rename)",
        "       -  0600  ~/.demo/current",
        "       -  0700  ~/.demo/new/",
        r"  4.1 kB  0600  ~/.demo/new/\xff\x0a",
        "",
        "Modified (1)",
        "  5.0 kB  0600  ~/.demo/state.db  (read first)",
        "",
        "Deleted (1)",
        "  4.1 kB  0600  ~/.demo/old",
        "",
        "Not shown: 2 only read, 2 opened for a change, and as before (--reads shows them)",
    ]


@pytest.mark.parametrize("form", [[], ["--tree"]])
def test_a_directory_with_much_in_it_is_one_line_with_how_much_that_is(
    ask: Ask, place: Path, form: list[str]
) -> None:
    new = [HOME + b"/.cache/%04d" % number for number in range(1200)]
    record(place, map(create, new), dict.fromkeys(new, FILE))
    short, long = ask("show", *form).out, ask("show", "--all", *form).out
    assert "~/.cache/  (1,200 paths in it, 4.9 MB)" in short
    assert ("0999" in short, "1199" in long, "more" in long) == (False, True, False)
    assert len(json.loads(ask("show", "--json").out)["paths"]) == 1200


def test_more_than_anybody_reads_is_counted(ask: Ask, place: Path) -> None:
    new = [b"/a%02d/b%02d/c" % divmod(number, 20) for number in range(1200)]
    record(place, map(create, new), dict.fromkeys(new, FILE))
    short = ask("show").out
    assert "... 200 more (--all shows them)" in short
    assert "/a59/b19/c" not in short


def test_reads_are_shown_on_request(ask: Ask) -> None:
    out = ask("show", "1", "--reads").out
    assert "Only read (2)\n" in out
    assert "/etc/passwd  (read first)\n" in out
    assert "/etc/shadow  (denied)\n" in out
    assert "Opened for a change, and as before (2)\n" in out
    assert "Not shown" not in out


def test_a_tree_of_paths(ask: Ask) -> None:
    out = ask("show", "1", "--tree").out
    assert out[out.index("Paths") :].splitlines() == [
        "Paths (4 created, 1 modified, 1 deleted)",
        "  ~/.demo/",
        "  ├── + a  4.1 kB  (by rename)",
        "  ├── + current",
        "  ├── + new/",
        r"  │   └── + \xff\x0a  4.1 kB",
        "  ├── - old  4.1 kB",
        "  └── ~ state.db  5.0 kB  (read first)",
        "",
        "Not shown: 2 only read, 2 opened for a change, and as before (--reads shows them)",
    ]


def test_colour_adds_nothing_but_colour(place: Path) -> None:
    run = details(place)
    plain = run_text(run, RunView(screen=Screen(), reads=True))
    coloured = run_text(run, RunView(screen=Screen(coloured=True), reads=True))
    assert "\x1b[" not in plain
    for code in ("1", "2", "31", "32", "33", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


def test_command_lines_are_cut_to_a_terminals_width_only(place: Path) -> None:
    run = details(place)
    narrow = run_text(run, RunView(screen=Screen(width=15)))
    assert "  4001 demo --…\n" in narrow
    assert "~/.demo/new/" in narrow


def test_the_newest_run_is_shown_by_default(ask: Ask) -> None:
    out = ask("show").out
    assert out.startswith("Run 2  demo --fast\n")
    assert "Nothing was changed. Not shown: 1 only read" in out
