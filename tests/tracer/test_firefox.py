"""The example that the tool is explained with: a browser's first start, as an ordinary user."""

import os
import shutil
from pathlib import Path

import pytest
from recorded_programs import Recorder, as_ordinary_user

from imptrace.db.records import Effect, RunStatus
from imptrace.tracer.events import FileType

KEPT = ("prefs.js", "places.sqlite", "cookies.sqlite", "key4.db", "compatibility.ini")
PATIENCE = 240
"""Seconds: a first start of Firefox is much work."""


@pytest.mark.skipif(not shutil.which("firefox-esr"), reason="needs firefox-esr")
def test_first_start_records_the_profile(open_work: Path) -> None:
    """The directory with its random name, the files that matter, and all else that it left."""
    home, picture = open_work / "home", open_work / "home" / "x.png"
    record = Recorder(open_work / "runs.db")
    browser = ("firefox-esr", "--headless", "--screenshot", str(picture), "file:///etc/hostname")
    options = ("--label", "ff", "--wait", "children")
    result = as_ordinary_user(record.command(*browser, options=options), home, PATIENCE)
    assert result.returncode == 0, result.stderr.decode()
    run = record.details().run
    assert (run.label, run.program, run.status) == ("ff", b"firefox-esr", RunStatus.COMPLETE)

    paths = record.paths(home)
    # Below ~/.mozilla or, in newer versions, ~/.config/mozilla.
    (index,) = home.rglob("profiles.ini")
    (profile,) = index.parent.glob("*.default-esr")
    directory = paths[os.fsencode(profile)].after
    assert directory
    assert directory.type is FileType.DIRECTORY
    created = {path for path, seen in paths.items() if seen.effect is Effect.CREATED}
    assert {os.fsencode(path) for path in (picture, index, profile)} <= created
    assert {os.fsencode(profile / name) for name in KEPT} <= created
    assert {os.fsencode(path) for path in home.rglob("*")} <= created
