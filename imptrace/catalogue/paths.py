"""Which paths a catalogue entry may hold, and how they lie within each other."""

from imptrace.catalogue.model import EntryPlace, KeptPath
from imptrace.facts.paths import STORE, is_within
from imptrace.facts.patterns import INSTANCE_NAME

GONE_AT_REBOOT = tuple(
    top.encode()
    for top in ("/run", "/var/run", "/tmp", "/var/tmp", "/dev", "/proc", "/sys")  # noqa: S108 (named, not used)
)


def path_problem(path: str, place: EntryPlace) -> str | None:
    """Say what is wrong with how `path` is written, or None."""
    if place is EntryPlace.SERVICE and not path.startswith("/"):
        return f"{path!r} must be absolute"
    if place is EntryPlace.HOME and path.startswith(("/", "~")):
        return f"{path!r} must be relative to the home directory"
    names = path.removeprefix("/").split("/")
    if any(name in {"", ".", ".."} for name in names):
        return f"{path!r} must be written without empty names, '.' and '..'"
    if "$" in path or "%" in path:
        return f"{path!r} must be written out, without variables"
    return None


def kept_problem(path: bytes) -> str | None:
    """Why nothing at `path` can be kept, or None."""
    for top in (*GONE_AT_REBOOT, STORE):
        if is_within(path, top):
            return f"{path.decode()!r} is below {top.decode()}, which is never kept"
    return None


def template_problem(path: bytes, *, wanted: bool) -> str | None:
    """Say what is wrong with the instance's name in `path`, or None."""
    found = path.count(INSTANCE_NAME)
    if wanted and found != 1:
        return f"{path.decode()!r} must hold {INSTANCE_NAME.decode()} once"
    if not wanted and (b"<" in path or b">" in path):
        return f"{path.decode()!r} is no literal path: use [[instance]], or the parent directory"
    return None


def pattern_problem(path: bytes, *, allowed: bool) -> str | None:
    """Say what is wrong with the shell pattern in `path`, or None."""
    if b"[" in path or b"{" in path:
        return f"{path.decode()!r}: of shell patterns only * and ? may be used"
    if not allowed and (b"*" in path or b"?" in path):
        return f"{path.decode()!r} must be literal, not a pattern"
    return None


def nesting_problem(kept: KeptPath, others: tuple[KeptPath, ...]) -> str | None:
    """Why `kept` may not stand beside `others`, which come before it; or None."""
    for other in others:
        if _exclude_each_other(kept, other):
            continue
        if kept.path == other.path:
            return f"{kept.path.decode()!r} stands twice"
        inner, outer = sorted((kept, other), key=lambda each: len(each.path), reverse=True)
        can_move = inner.follows is not None  # then it is not always within
        if inner.level is outer.level and not can_move and is_within(inner.path, outer.path):
            return (
                f"{inner.path.decode()!r} is kept by {outer.path.decode()!r} already,"
                f" at the same level {inner.level}"
            )
    return None


def _exclude_each_other(one: KeptPath, two: KeptPath) -> bool:
    """Whether the two never hold at once: one before a state version, one since it."""
    bounds = {one.since_state_version, two.since_state_version} & {
        one.before_state_version,
        two.before_state_version,
    }
    return bool(bounds - {None})
