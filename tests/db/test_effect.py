"""What a run left of a path is told by comparing before with after."""

import pytest
from recordings import DIRECTORY, FILE, LATER

from imptrace.db.effect import effect_of, effect_on
from imptrace.db.records import Accesses, AccessRecord, Effect
from imptrace.tracer.events import ABSENT, AccessFlag, FileState, Op, Outcome

NO_FLAGS = AccessFlag(0)


def asked(
    op: Op = Op.WRITE,
    outcome: Outcome = Outcome.UNKNOWN,
    *,
    origin: bytes | None = None,
    last: int = 1,
    flags: AccessFlag = NO_FLAGS,
) -> AccessRecord:
    return AccessRecord(
        process=1,
        op=op,
        count=1,
        first=last,
        last=last,
        outcome=outcome,
        errno=0,
        flags=flags,
        to=None,
        origin=origin,
    )


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (ABSENT, FILE, Effect.CREATED),
        (FILE, ABSENT, Effect.DELETED),
        (ABSENT, ABSENT, Effect.UNCHANGED),
        (FILE, FILE, Effect.UNCHANGED),
        (FILE, LATER, Effect.MODIFIED),
        (FILE, FILE._replace(mode=0o644), Effect.MODIFIED),
        (FILE, FILE._replace(uid=0), Effect.MODIFIED),
        (FILE, FILE._replace(inode=43), Effect.MODIFIED),
        (FILE, DIRECTORY, Effect.MODIFIED),
        (DIRECTORY, DIRECTORY._replace(mtime_ns=9, ctime_ns=9, size=9), Effect.UNCHANGED),
        (DIRECTORY, DIRECTORY._replace(mode=0o755), Effect.MODIFIED),
        (DIRECTORY, DIRECTORY._replace(gid=0), Effect.MODIFIED),
        (ABSENT, DIRECTORY, Effect.CREATED),
    ],
)
def test_two_states_are_compared(before: FileState, after: FileState, effect: Effect) -> None:
    assert effect_of(before, after, Accesses([asked()])) is effect


@pytest.mark.parametrize(
    ("op", "effect"),
    [
        (Op.WRITE, Effect.MODIFIED),
        (Op.XATTR, Effect.MODIFIED),
        (Op.CHMOD, Effect.UNCHANGED),
        (Op.LINK, Effect.UNCHANGED),
    ],
)
def test_a_new_ctime_alone_counts_only_where_content_may_differ(op: Op, effect: Effect) -> None:
    assert effect_of(FILE, FILE._replace(ctime_ns=1), Accesses([asked(op)])) is effect


def test_what_was_only_read_has_no_effect() -> None:
    assert effect_of(FILE, LATER, Accesses([asked(Op.READ, Outcome.OK)])) is None


def test_what_was_refused_changed_nothing() -> None:
    """Another program may have changed the file meanwhile: that is no effect of this run."""
    assert effect_of(FILE, LATER, Accesses([asked(outcome=Outcome.DENIED)])) is Effect.UNCHANGED
    assert effect_of(None, None, Accesses([asked(outcome=Outcome.FAILED)])) is Effect.UNCHANGED


@pytest.mark.parametrize(
    ("before", "accesses", "effect"),
    [
        (ABSENT, [asked(Op.CREATE)], Effect.CREATED),
        (FILE, [asked()], Effect.MODIFIED),
        (FILE, [asked(Op.DELETE)], Effect.DELETED),
        (ABSENT, [asked(Op.CREATE), asked(Op.DELETE, last=2)], Effect.UNCHANGED),
        (ABSENT, [asked(Op.DELETE), asked(Op.CREATE, last=2)], Effect.CREATED),
        (FILE, [asked(Op.RENAME)], Effect.DELETED),
        (ABSENT, [asked(Op.RENAME, origin=b"/old")], Effect.CREATED),
        (None, [asked(Op.RENAME, origin=b"/old")], Effect.CREATED),
        (None, [asked(Op.MKDIR)], Effect.CREATED),
        (None, [asked(Op.CREATE, flags=AccessFlag.EXCLUSIVE)], Effect.CREATED),
        (None, [asked(Op.CREATE)], Effect.MODIFIED),
        (None, [asked(Op.RENAME, flags=AccessFlag.EXCHANGE)], Effect.MODIFIED),
        (None, [asked(Op.DELETE), asked(Op.SYMLINK, last=2)], Effect.MODIFIED),
        (None, [asked(Op.LINK, origin=b"/old")], Effect.CREATED),
        (None, [asked(Op.LINK)._replace(to=b"/new")], Effect.UNCHANGED),
    ],
)
def test_the_calls_tell_where_nobody_looked_afterwards(
    before: FileState | None, accesses: list[AccessRecord], effect: Effect
) -> None:
    assert effect_of(before, None, Accesses(accesses)) is effect


@pytest.mark.parametrize("path", [b"/proc/17/oom_score_adj", b"/sys/fs/cgroup/user.slice/x"])
def test_nothing_becomes_of_what_the_kernel_makes_up(path: bytes) -> None:
    """A process's files go with it: that is no deletion."""
    assert effect_on(path, FILE, ABSENT, Accesses([asked()])) is Effect.UNCHANGED
    assert effect_on(path, ABSENT, DIRECTORY, Accesses([asked(Op.MKDIR)])) is Effect.UNCHANGED
    assert effect_on(path, FILE, FILE, Accesses([asked(Op.READ, Outcome.OK)])) is None
    assert effect_on(b"/srv" + path, FILE, ABSENT, Accesses([asked()])) is Effect.DELETED
