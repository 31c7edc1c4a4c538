"""Hand-made recordings: only what a test is about has to be said."""

from collections.abc import Mapping, Sequence

from imptrace.db.records import (
    Accesses,
    AccessRecord,
    Effect,
    PathRecord,
    ProcessRecord,
    RunDetails,
    RunRecord,
    RunStatus,
)
from imptrace.judge.advise import advise
from imptrace.judge.model import Advice, Facts, Recommendation, User
from imptrace.tracer.events import (
    ABSENT,
    AccessFlag,
    FileState,
    FileType,
    Mount,
    Op,
    Outcome,
)

NO_FLAGS = AccessFlag(0)

ALICE = User(name="alice", uid=1000, gid=1000, home=b"/home/alice")
ROOT = User(name="root", uid=0, gid=0, home=b"/root")
DAEMON = User(name="stored", uid=990, gid=990, home=b"/srv/stored")
USERS = (ROOT, DAEMON, ALICE)


def file(
    *,
    mode: int = 0o644,
    uid: int = 1000,
    size: int = 100,
    kind: FileType = FileType.FILE,
    inode: int = 7,
) -> FileState:
    """Make the state of a file of alice's."""
    return FileState(kind, size, mode, uid, uid, 1, inode, 1, 1)


def directory(*, mode: int = 0o755, uid: int = 1000) -> FileState:
    """Make the state of a directory of alice's."""
    return file(mode=mode, uid=uid, size=4096, kind=FileType.DIRECTORY)


def access(
    op: Op = Op.CREATE,
    *,
    process: int = 1,
    outcome: Outcome = Outcome.OK,
    flags: AccessFlag = NO_FLAGS,
    to: bytes | None = None,
    origin: bytes | None = None,
    first: int = 10,
) -> AccessRecord:
    """Make one call."""
    return AccessRecord(
        process=process,
        op=op,
        count=1,
        first=first,
        last=first,
        outcome=outcome,
        errno=0,
        flags=flags,
        to=to,
        origin=origin,
    )


def created(path: bytes, *accesses: AccessRecord, **more: object) -> PathRecord:
    """Make a file that a run left where nothing had been."""
    given = {"effect": Effect.CREATED, "before": ABSENT, "after": file()} | more
    return record(path, *(accesses or (access(Op.CREATE),)), **given)


def made(path: bytes, *, mode: int = 0o755, uid: int = 1000) -> PathRecord:
    """Make a directory that a run made."""
    return created(path, access(Op.MKDIR), after=directory(mode=mode, uid=uid))


def modified(path: bytes, *accesses: AccessRecord, **more: object) -> PathRecord:
    """Make a file that a run left otherwise than it found it."""
    given = {"effect": Effect.MODIFIED, "before": file(), "after": file(size=200)} | more
    return record(path, *(accesses or (access(Op.WRITE),)), **given)


def read(path: bytes) -> PathRecord:
    """Make a file that was only read."""
    return record(path, access(Op.READ))


def record(path: bytes, *accesses: AccessRecord, **more: object) -> PathRecord:
    """Make one path of run 1; `hint` and `link` are what a look at `after` told."""
    given: dict[str, object] = {"run": 1, "before": None, "after": None, "effect": None} | more
    if given.pop("read_first", False):
        flags = accesses[0].flags | AccessFlag.READ_FIRST
        accesses = (accesses[0]._replace(flags=flags), *accesses[1:])
    looked = {key: given.pop(key) for key in ("hint", "link") if key in given}
    if isinstance(given["after"], FileState):
        given["after"] = given["after"]._replace(**looked)
    return PathRecord(path=path, accesses=Accesses(accesses), **given)


def run(
    *paths: PathRecord,
    number: int = 1,
    exe: bytes = b"/usr/bin/keeper",
    uid: int = 1000,
    environ: Mapping[str, bytes] | None = None,
    mounts: Sequence[Mount] = (),
    service: str | None = None,
    properties: Mapping[str, str] | None = None,
    lost: int = 0,
) -> RunDetails:
    """Make a run of one process."""
    program = exe.rpartition(b"/")[2]
    process = ProcessRecord(
        id=1,
        run=number,
        pid=100,
        parent=None,
        previous=None,
        exe=exe,
        argv=(program,),
        cwd=b"/",
        uid=uid,
        gid=uid,
        cgroup=b"",
        unit=None,
        environ=environ or {},
        started=0,
        ended=1,
        status=0,
    )
    return RunDetails(
        run=RunRecord(
            id=number,
            label=None,
            program=program,
            argv=(program,),
            cwd=b"/",
            user="alice",
            uid=uid,
            host="host",
            started_ns=0,
            ended_ns=1,
            exit_code=0,
            exit_signal=None,
            recorder="notify",
            status=RunStatus.COMPLETE,
            lost=lost,
            unseen=0,
            service=service,
            properties=properties or {},
        ),
        processes=(process,),
        paths=tuple(
            path._replace(run=number) for path in sorted(paths, key=lambda path: path.path)
        ),
        mounts=tuple(mounts),
    )


def advice(*runs: RunDetails, **context: object) -> Advice:
    """Answer what is advised about runs, on a system with alice and a service's user."""
    given = {"users": USERS, "groups": {0: "root", 990: "stored", 1000: "alice"}} | context
    return advise(Facts(runs=runs, **given), with_verdicts=True)


def recommended(*runs: RunDetails, **context: object) -> dict[bytes, Recommendation]:
    """Answer with the recommendations by path."""
    return {each.path: each for each in advice(*runs, **context).recommendations}
