"""How a file is written decides how it can be kept."""

import pytest

from imptrace.db.records import PathRecord
from imptrace.judge.codes import Code
from imptrace.judge.model import Kind, Method
from imptrace.tracer.events import AccessFlag, FileType, Op, Outcome
from tests.judge.factory import (
    access,
    created,
    directory,
    file,
    made,
    modified,
    read,
    recommended,
    run,
)

PATH = b"/home/alice/.keeperrc"

RENAMED = access(Op.RENAME, origin=PATH + b".new")


@pytest.mark.parametrize(
    ("path", "method", "code"),
    [
        (modified(PATH), Method.BIND, None),
        (modified(PATH, RENAMED), Method.NONE, Code.REPLACED_BY_RENAME),
        (created(PATH, RENAMED), Method.NONE, Code.REPLACED_BY_RENAME),
        (
            modified(PATH, access(Op.LINK, flags=AccessFlag.TMPFILE)),
            Method.NONE,
            Code.REPLACED_BY_LINK,
        ),
        (modified(PATH, access(Op.DELETE), access(Op.CREATE)), Method.NONE, Code.RECREATED),
        (
            modified(PATH, access(Op.RENAME, to=PATH + b".1"), access(Op.CREATE)),
            Method.NONE,
            Code.RECREATED,
        ),
        (
            modified(PATH, before=file(kind=FileType.SYMLINK)),
            Method.NONE,
            Code.SYMLINK_REPLACED,
        ),
        (
            created(PATH, access(Op.CREATE, flags=AccessFlag.EXCLUSIVE)),
            Method.SYMLINK,
            Code.ONLY_WHEN_ABSENT,
        ),
        (
            created(PATH, access(Op.READ, outcome=Outcome.MISSING), access(Op.CREATE, first=20)),
            Method.SYMLINK,
            Code.ONLY_WHEN_ABSENT,
        ),
    ],
)
def test_how_a_lone_file_can_be_kept(path: PathRecord, method: Method, code: Code | None) -> None:
    """Replaced: no entry. Made only when absent: a link. Changed in place: a bind mount."""
    found = recommended(run(path))[PATH]
    assert found.method is method
    codes = {reason.code for reason in found.reasons}
    assert code is None or code in codes
    assert (Code.NO_ENTRY_WORKS in codes) == (method is Method.NONE)


def test_a_rename_that_no_later_run_repeats_was_for_the_first_start_only() -> None:
    """A host key: made once, by rename, and left alone ever after."""
    later = run(read(PATH), number=2)
    found = recommended(run(created(PATH, RENAMED)), later)[PATH]
    assert found.method is Method.SYMLINK


def test_a_replaced_file_is_kept_with_its_own_directory() -> None:
    """The directory can be mounted, and the reason names the rename."""
    settings = b"/home/alice/.config/keeper/settings"
    found = recommended(
        run(
            made(b"/home/alice/.config/keeper"),
            modified(settings, access(Op.RENAME, origin=settings + b".tmp")),
        )
    )
    kept = found[b"/home/alice/.config/keeper"]
    assert (kept.kind, kept.method) == (Kind.DIRECTORY, Method.BIND)
    reason = next(each for each in kept.reasons if each.code == Code.REPLACED_BY_RENAME)
    assert reason.figures["origin"] == settings + b".tmp"


def test_a_directory_that_is_renamed_into_place_can_be_no_mount_point() -> None:
    """`keeper.new` -> `keeper`: said of the directory itself."""
    path = b"/var/lib/keeper"
    whole = created(
        path, access(Op.RENAME, origin=path + b".new"), after=directory(), before=directory()
    )
    found = recommended(run(whole, created(path + b"/x")))
    assert found[path].method is Method.NONE
    assert Code.DIRECTORY_REPLACED in {reason.code for reason in found[path].reasons}
