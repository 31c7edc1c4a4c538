"""Owner and mode of what is recommended: they are part of the answer."""

from imptrace.facts.patterns import INSTANCE_NAME
from imptrace.judge.context import Context
from imptrace.judge.holdings import Claimed
from imptrace.judge.judge import Judged
from imptrace.tracer.events import FileState, FileType

Owner = tuple[str | None, str | None, int | None]


def owner_of(claimed: Claimed, judged: Judged) -> Owner:
    """User, group and mode: as the catalogue says, else as seen; None where nobody knows."""
    user, group, mode = _seen(claimed.piece.path, judged)
    known = claimed.known
    if known is None or known.kept is None or known.is_elsewhere:
        return user, group, mode
    kept = known.kept
    if known.path != claimed.piece.path:
        return user, group, mode
    return (
        _literal(kept.user) or user,
        _literal(kept.group) or group,
        mode if kept.mode is None else kept.mode,
    )


def _literal(name: str | None) -> str | None:
    """A name, unless it has the place for an instance's in it."""
    return None if name is None or INSTANCE_NAME.decode() in name else name


def _seen(path: bytes, judged: Judged) -> Owner:
    state = _state(path, judged)
    if state is None or state.type in (FileType.ABSENT, FileType.SYMLINK):
        return None, None, None
    context = judged.context
    return _user_name(state.uid, context), context.groups.get(state.gid), state.mode


def _state(path: bytes, judged: Judged) -> FileState | None:
    facts = judged.seen.changed.get(path)
    if facts is not None and facts.state is not None:
        return facts.state
    record = judged.seen.looked_at.get(path)
    if record is not None and record.after is not None:
        return record.after
    return judged.context.directories.get(path)


def _user_name(uid: int, context: Context) -> str | None:
    return next((user.name for user in context.users if user.uid == uid), None)
