"""The run of a unit: begun as `service start` ordered it, and told to `service finish`."""

import os
import pwd
from typing import TYPE_CHECKING

from imptrace.record.service.manager import Manager
from imptrace.record.service.order import RecordingOrder, RecordingOutcome

if TYPE_CHECKING:
    from imptrace.record.session import Session
    from imptrace.tracer.recorder import Recorder


def begin(order: RecordingOrder, recording: "Recorder") -> "Session":
    """Begin to store what comes."""
    from imptrace.record.session import RecordingRequest, Session
    from imptrace.tracer.events import RunScope
    from imptrace.tracer.program import RunSubject, working_directory

    now = Manager(user=order.user_manager).show(order.unit)
    argv = tuple(os.fsencode(word) for word in order.argv)
    user, uid = _account(order.facts.get("User", ""))
    request = RecordingRequest(
        subject=RunSubject(
            program=os.path.basename(argv[0]),
            argv=argv,
            cwd=working_directory(),
            user=user,
            uid=uid,
        ),
        label=order.label,
        service=order.unit,
        scope=RunScope.UNIT,
        properties={**order.facts, "InvocationID": now.get("InvocationID", "")},
        database=order.database,
        wait_for_children=True,
    )
    return Session(recording, request).start()


def outcome(session: "Session") -> RecordingOutcome:
    """Wait until all is stored, and say what it is."""
    result = session.result()
    summary = result.summary
    return RecordingOutcome(
        run=result.run_id,
        read=summary.read if summary else 0,
        created=summary.created if summary else 0,
        modified=summary.modified if summary else 0,
        deleted=summary.deleted if summary else 0,
        lost=summary.lost if summary else 0,
        unseen=summary.unseen if summary else 0,
        failure=str(result.failure) if result.failure else None,
    )


def _account(name: str) -> tuple[str, int]:
    """Look up the unit's user, as far as it is known before it runs; our own where it is not."""
    from imptrace.tracer.program import user_name

    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        uid = os.getuid()
        return user_name(uid), uid
    return entry.pw_name, entry.pw_uid
