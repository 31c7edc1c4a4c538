"""Paths that were treated alike are judged once, and each as it would be alone."""

import pytest

from imptrace.db.records import Accesses, Effect, PathRecord
from imptrace.judge.words import is_ordinary
from imptrace.tracer.events import AccessFlag, FileType, Op, Outcome
from tests.judge.factory import access, advice, directory, file, made, record, run

HOME = b"/home/alice"
DIRECTORIES = (
    HOME + b"/.keeper",
    HOME + b"/.keeper/private-keys",
    HOME + b"/.keeper/db",
    HOME + b"/.cache/keeper",
    HOME + b"/.config/other",
    HOME,
    b"/var/lib/keeper",
    b"/etc/keeper",
    b"/tmp/keeper",
)
NAMES = (
    b"1", b"2", b"0a3f", b"one", b"two", b"x~", b"y.lock", b"z.tmp", b".goutputstream-A1B2C3",
    b"key4.pem", b"id.pub", b"bookmarks", b"trustdb", b"cookies.sqlite", b"app.log",
    b"queue", b"CACHEDIR.TAG", b".zcompdump", b"keeper.cache",
)  # fmt: skip
WAYS = (
    (access(Op.CREATE),),
    (access(Op.CREATE, flags=AccessFlag.EXCLUSIVE),),
    (access(Op.READ, outcome=Outcome.MISSING, first=1), access(Op.CREATE)),
    (access(Op.CHMOD),),
)


def _paths(*, in_common: bool) -> list[PathRecord]:
    """Leave a file of each name in each directory; alike ones share accesses, or no two do."""
    found = [made(each, mode=0o700 if b"private" in each else 0o755) for each in DIRECTORIES]
    for parent in DIRECTORIES:
        for number, name in enumerate(NAMES):
            way = WAYS[number // 2 % len(WAYS)]
            given = {
                "effect": Effect.CREATED,
                "after": file(mode=0o600 if number % 3 else 0o644, size=10, inode=number),
                "hint": "SQLite" if name == b"two" else None,
            }
            accesses = (
                way if in_common else tuple(each._replace(last=99 + len(found)) for each in way)
            )
            found.append(
                record(parent + b"/" + name, **given)._replace(accesses=Accesses(accesses))
            )
    return found


def test_what_is_shared_changes_no_verdict() -> None:
    """The same run, once with one object per way of treating a path, once with one per path."""
    shared = advice(run(*_paths(in_common=True)))
    assert shared == advice(run(*_paths(in_common=False)))
    assert len(shared.verdicts) > len(DIRECTORIES)


def test_reasons_name_the_path_that_they_are_about() -> None:
    way = (access(Op.CREATE, flags=AccessFlag.EXCLUSIVE),)
    names = [HOME + b"/.keeper/%d" % number for number in range(5)]
    after = file()
    paths = [
        record(each, effect=Effect.CREATED, after=after)._replace(accesses=Accesses(way))
        for each in names
    ]
    verdicts = {each.path: each for each in advice(run(*paths)).verdicts}
    for name in names:
        assert [r.figures["path"] for r in verdicts[name].reasons if "path" in r.figures] == [name]


def test_a_directory_is_not_like_the_files_beside_it() -> None:
    way = (access(Op.CREATE),)
    given = {"effect": Effect.CREATED}
    below = record(HOME + b"/.keeper/a", after=directory(), **given)._replace(
        accesses=Accesses(way)
    )
    beside = record(HOME + b"/.keeper/b", after=file(), **given)._replace(accesses=Accesses(way))
    kinds = {each.path: each.kind.value for each in advice(run(below, beside)).verdicts}
    assert kinds == {below.path: "directory", beside.path: "file"}
    assert below.after is not None
    assert below.after.type is FileType.DIRECTORY


@pytest.mark.parametrize(
    ("name", "ordinary"),
    [
        (b"12345", True),
        (b"entry-7.json", True),
        (b"\xff\x00", True),
        (b"key4.db", False),
        (b"x~", False),
        (b"a.lock", False),
        (b"a.part", False),
        (b"x.log", False),
        (b"known_hosts", False),
        (b"lockdb", False),
    ],
)
def test_a_name_in_which_no_rule_sees_anything_is_ordinary(name: bytes, *, ordinary: bool) -> None:
    assert is_ordinary(name) is ordinary
