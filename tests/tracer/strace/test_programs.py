"""Real programs: the reader of logs against the independent witness, and against the directory."""

import os
import shutil
from pathlib import Path

import pytest
from oracle import STRACE, read_story
from reading import needs_strace, read_files, strace

from imptrace.tracer.events import Access, Op, Outcome

pytestmark = needs_strace

GIT = "git -c user.name=a -c user.email=a@b -c init.defaultBranch=main"
PROGRAMS = {
    "git": f"{GIT} init -q r; cd r; echo 1 >a; {GIT} add a; {GIT} commit -qm x; {GIT} gc -q",
    "make": "printf 'all: a.o b.o\\n%%.o:\\n\\t(cd sub && sleep 0.01 && : >$@) && mv sub/$@ $@\\n' "
    ">Makefile; mkdir sub; make -s -j4",
    "tar": "mkdir t; echo 1 >t/1; echo 2 >t/2; tar czf t.tgz t; rm -r t; tar xzf t.tgz",
    "sqlite3": "sqlite3 db 'create table t(a); insert into t values(1); delete from t; vacuum'",
    "cp": "mkdir -p a/b; echo 1 >a/b/c; ln -s b a/l; cp -a a z; mv z/b/c z/b/d; chmod -R u-w z",
    "python": 'python3 -c \'import shelve, tempfile\nwith shelve.open("s") as s: s["a"] = 1\n'
    'with tempfile.TemporaryDirectory(dir=".") as d: open(d + "/x", "w").close()\'',
    "sed": "echo a >f; sed -i s/a/b/ f; sort -o f f; install -m 600 f g; touch -r f h",
}


def _missing(program: str) -> bool:
    return shutil.which(program) is None


@pytest.mark.parametrize("program", sorted(PROGRAMS))
@pytest.mark.parametrize("notes", [True, False], ids=["-y", "plain"])
def test_a_program_is_told_as_the_witness_tells_it(
    program: str,
    notes: bool,
    tmp_path: Path,
) -> None:
    """Made, renamed, removed and written paths agree, with strace's notes and without."""
    if _missing(program):
        pytest.skip(f"{program} is not installed")
    work = tmp_path / "work"
    work.mkdir()
    log = tmp_path / "log"
    options = [option for option in STRACE[1:] if notes or option != "-y"]
    strace(options, ["sh", "-c", PROGRAMS[program]], work, log)
    reader, events = read_files([log], cwd=os.fsencode(work))
    told = [
        event
        for event in events
        if isinstance(event, Access) and event.outcome is Outcome.OK and event.op.changes
    ]
    below = os.fsencode(work) + b"/"
    written = {event.path for event in told if event.op in (Op.WRITE, Op.TRUNCATE)}
    renamed = {(event.path, event.path2) for event in told if event.op is Op.RENAME}
    deleted = {event.path for event in told if event.op is Op.DELETE}
    made = {
        event.path
        for event in told
        if event.op in (Op.MKDIR, Op.CREATE, Op.LINK, Op.SYMLINK, Op.BIND)
    }

    assert reader.not_understood == 0, reader.not_understood_first
    left = {below + os.fsencode(path.relative_to(work)) for path in work.rglob("*")}
    touched = made | written | {new for _, new in renamed if new}
    carried = {
        path for path in left if any(path.startswith(new + b"/") for _, new in renamed if new)
    }
    assert left <= touched | carried
    if notes:
        story = read_story(log, os.fsencode(work))
        assert _below(written, below) == _below(story.written, below)
        assert renamed == story.renamed
        assert _below(deleted, below) == _below(story.deleted, below)
        assert _below(story.created, below) <= made


def _below(paths: set[bytes], top: bytes) -> set[bytes]:
    return {path for path in paths if path.startswith(top)}
