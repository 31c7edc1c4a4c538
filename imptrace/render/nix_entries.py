"""One recommendation as an entry of a list, in the form that each module wants."""

from collections.abc import Mapping

from imptrace.judge.codes import Code
from imptrace.judge.model import Kind, Method, Recommendation
from imptrace.render.nix_text import Value

_DEFAULT_MODE = 0o755
_ROOT = "root"


def of_options(each: Recommendation, path: bytes) -> Value:
    """Make an entry of OPTION.persistence.LEVEL: `copy` for a file that its program replaces."""
    if each.kind is Kind.DIRECTORY:
        return _plain_if_alone({"directory": path} | _unusual_owner(each))
    entry: dict[str, Value] = {"file": path}
    if each.method is not Method.BIND:
        entry["method"] = "symlink" if each.method is Method.SYMLINK else "copy"
    return _plain_if_alone(entry | _unusual_owner(each, mode=0o644))


def of_impermanence(each: Recommendation, path: bytes) -> Value:
    """Make an entry of environment.persistence or home.persistence."""
    if each.kind is Kind.DIRECTORY:
        return _plain_if_alone({"directory": path} | _unusual_owner(each))
    entry: dict[str, Value] = {"file": path}
    if each.method is Method.SYMLINK:
        entry["method"] = "symlink"
    return _plain_if_alone(entry)


def of_preservation(each: Recommendation, path: bytes) -> Value:
    """Make an entry of preservation.preserveAt: with all values, since defaults are applied too."""
    entry: dict[str, Value] = {each.kind.value: path}
    if each.method is Method.SYMLINK and each.kind is Kind.FILE:
        entry["how"] = "symlink"
    entry |= _owner(each)
    if any(reason.code == Code.EARLY_BOOT for reason in each.reasons):
        entry["inInitrd"] = True
    if is_private(each):
        entry["configureParent"] = True
        entry["parent.mode"] = "0700"
    return _plain_if_alone(entry)


def is_private(each: Recommendation) -> bool:
    """Whether it is the directory of a dynamic user, whose parent must be closed as well."""
    return any(reason.code == Code.DYNAMIC_USER for reason in each.reasons)


def _owner(each: Recommendation) -> dict[str, Value]:
    """User, group and mode, as far as they are known."""
    owner: dict[str, Value] = {}
    if each.user is not None:
        owner["user"] = each.user
    if each.group is not None:
        owner["group"] = each.group
    if each.mode is not None:
        owner["mode"] = f"{each.mode:04o}"
    return owner


def _unusual_owner(each: Recommendation, mode: int = _DEFAULT_MODE) -> dict[str, Value]:
    """Leave out what is the default anyway: root, or whose home it is, and 0755."""
    usual = each.home.user if each.home is not None else _ROOT
    owner = _owner(each)
    if each.user == usual:
        owner.pop("user", None)
        # The group of a home directory's files is the user's own, whatever its name.
        if each.home is not None or each.group == usual:
            owner.pop("group", None)
    if each.mode == mode:
        owner.pop("mode", None)
    return owner


def _plain_if_alone(entry: Mapping[str, Value]) -> Value:
    """Write a path alone where there is nothing else to say."""
    return next(iter(entry.values())) if len(entry) == 1 else entry
