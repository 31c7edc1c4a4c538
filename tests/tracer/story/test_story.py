"""Each recorder tells of each tracee what the tracee declares."""

import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from directories import contents, really_changed

from imptrace.db.records import Effect, PathRecord, RunDetails
from story.builds import BUILDS, compile_all, prepare, script, tracees
from story.declared import Story, difference
from story.recorders import RECORDERS, details_of, told_below

NOT_HERE = 77
"""Exit status of a tracee whose calls this kernel does not have."""
TRACEES = {tracee.directory: tracee for tracee in tracees()}


class Recorded(NamedTuple):
    """One recording of all tracees; what it says of each, by the tracee's directory."""

    work: Path
    ended: dict[str, int]
    """Exit status."""
    details: RunDetails
    records: dict[str, list[PathRecord]]
    changed: dict[str, dict[bytes, Effect]]
    """What really changed, by path."""

    def told(self, name: str, *, asks: bool) -> Story:
        """Take what was told of one tracee."""
        top = os.fsencode(self.work / name)
        return told_below(self.details, self.records[name], top, asks=asks)


def _inside(work: Path, path: bytes) -> tuple[str, bytes]:
    """Tell in which tracee's directory a path lies, and its name there; ("", ...) if in none."""
    top = os.fsencode(work) + b"/"
    if not path.startswith(top):
        return "", path
    directory, _, name = path.removeprefix(top).partition(b"/")
    return os.fsdecode(directory), name or b"."


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Compile the tracees."""
    return compile_all(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="module")
def recorded(
    request: pytest.FixtureRequest,
    programs: dict[str, list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Recorded:
    """Record all tracees, one after the other, with one recorder."""
    if request.param == "strace" and shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    place = tmp_path_factory.mktemp(request.param)
    work = place / "work"
    work.mkdir()
    chosen = [tracee for tracee in TRACEES.values() if tracee.build in programs]
    prepare(chosen, work)
    (place / "script").write_text(script(chosen, programs, work))
    before = contents(work)
    said = RECORDERS[request.param](("sh", str(place / "script")), work, place / "runs.db")
    details = details_of(place / "runs.db")
    changed: dict[str, dict[bytes, Effect]] = defaultdict(dict)
    for path, effect in really_changed(before, contents(work)).items():
        name, inside = _inside(work, path)
        changed[name][inside] = effect
    records: dict[str, list[PathRecord]] = defaultdict(list)
    for record in details.paths:
        records[_inside(work, record.path)[0]].append(record)
    ended = {name: int(status) for name, status in map(str.split, said.splitlines())}
    return Recorded(work, ended, details, records, changed)


@pytest.mark.parametrize("recorded", RECORDERS, indirect=True)
@pytest.mark.parametrize("name", TRACEES)
def test_a_recorder_tells_what_is_declared(name: str, recorded: Recorded) -> None:
    """Calls, outcomes, effects and processes are as declared; and so is what really happened."""
    build, declaration = TRACEES[name]
    if name not in recorded.ended:
        pytest.skip(f"{build} programs cannot be made here: install {BUILDS[build].may_lack}")
    status = recorded.ended[name]
    if status == NOT_HERE:
        pytest.skip("the kernel does not have the calls")
    assert status == 0, (recorded.work / f"{name}.said").read_text()
    really = declaration.story(log=False).effects
    changed = {path: effect for path, effect in really.items() if effect is not Effect.UNCHANGED}
    assert recorded.changed.get(name, {}) == changed

    from_log = recorded.details.run.recorder == "strace"
    declared, told = declaration.story(log=from_log), recorded.told(name, asks=declaration.asks)
    if from_log:
        lacking = declaration.may_miss()
        declared.rows -= lacking.rows - told.rows
        for path in lacking.effects.keys() - told.effects.keys():
            del declared.effects[path]
    if recorded.details.run.recorder in ("bpf", "service"):
        for path, effect in declaration.bpf_may_tell().items():
            if told.effects.get(path) is effect:
                declared.effects[path] = effect
    assert declared.rows == told.rows, difference(declared.rows, told.rows)
    assert declared.effects == told.effects
    assert declared.relations == told.relations
