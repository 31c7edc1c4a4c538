"""A database is never kept as one file: what lies beside it would be lost."""

import pytest

from imptrace.judge.codes import Code
from imptrace.judge.model import Kind, Method
from tests.judge.factory import created, modified, recommended, run

HOME = b"/home/alice"
NAMES = [(b"",), (b"", b"-wal", b"-shm"), (b"", b"-journal")]


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize(
    ("place", "code"),
    [
        (b"/.keeper.db", Code.LONE_DATABASE),
        (b"/.local/share/keeper.db", Code.LONE_DATABASE),
        (b"/notes/keeper.db", Code.DATABASE_BESIDE),
    ],
)
def test_among_other_programs_files_no_entry_keeps_it(
    place: bytes, code: Code, names: tuple[bytes, ...]
) -> None:
    """It is told once, with what is safe; what lies beside it is no entry of its own."""
    path = HOME + place
    found = recommended(run(*(created(path + name, hint="sqlite") for name in names)))
    assert list(found) == [path]
    assert (found[path].kind, found[path].method) == (Kind.FILE, Method.NONE)
    assert code in {reason.code for reason in found[path].reasons}


def test_in_its_own_directory_it_is_kept_with_that() -> None:
    path = HOME + b"/.local/share/keeper/keeper.db"
    found = recommended(run(modified(path, hint="lmdb"), modified(path + b"-lock")))
    assert list(found) == [HOME + b"/.local/share/keeper"]


def test_other_files_are_files() -> None:
    path = HOME + b"/.keeperrc"
    assert recommended(run(modified(path)))[path].method is Method.BIND
