"""Whose a directory or file is: the subject's own, or shared with others."""

from collections.abc import Callable
from dataclasses import dataclass

from imptrace.db.records import OtherPrograms
from imptrace.facts.conventions import common_name
from imptrace.facts.paths import is_within
from imptrace.facts.units import private_path, unit_directories
from imptrace.judge.codes import Code
from imptrace.judge.judged import Root
from imptrace.judge.model import Figure, Reason, Scope
from imptrace.judge.places import Area


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Whose something is, why, and how sure that is."""

    scope: Scope
    reason: Reason
    confidence: float
    used_by: tuple[bytes, ...] = ()


def ownership_of(root: Root) -> Ownership:
    """Decide whose a root is. The rules are asked in order; the last one always answers."""
    return next(ownership for rule in _RULES if (ownership := rule(root)) is not None)


def declared_by_unit(root: Root) -> Ownership | None:
    """StateDirectory= and its kin name it."""
    for declared in unit_directories(root.judged.facts.unit_properties):
        if any(is_within(root.path, each) for each in (declared.path, private_path(declared.path))):
            figures = {"property": declared.key}
            return _owned(Reason(code=Code.UNIT_DECLARES, figures=figures), 0.9)
    return None


def named(root: Root) -> Ownership | None:
    """It bears a name of the subject, or lies in an entry that does: `/var/lib/keeper/data`."""
    if root.place.area is Area.DOCUMENT:
        return None
    below = root.path[len(root.place.container) :].strip(b"/")
    for component in below.split(b"/"):
        name = root.judged.names.match(component, root.changed_by)
        if name is not None:
            figures: dict[str, Figure] = {"component": component, "name": name}
            return _owned(Reason(code=Code.NAMED, figures=figures), 0.85)
    return None


def service_home(root: Root) -> Ownership | None:
    """It is the home directory of the service's own user."""
    for user in root.judged.facts.users:
        if user.home == root.path and not user.is_person and user.name in root.judged.names.all:
            return _owned(Reason(code=Code.SERVICE_HOME, figures={"user": user.name}), 0.85)
    return None


def common(root: Root) -> Ownership | None:
    """A well-known common file, `/etc/passwd` or `~/.config/mimeapps.list`."""
    found = common_name(root.path, root.place.home)
    if found is None:
        return None
    reason = Reason(code=Code.COMMON, figures={"what": found})
    return _shared(reason, 0.6, _others(root))


def used_by_others(root: Root) -> Ownership | None:
    """Other programs of the database write it; or read it, and nothing names it for the subject."""
    use = _others(root)
    if not use.writers and not use.readers:
        return None
    if use.writers:
        reason = Reason(code=Code.OTHERS_CHANGE, figures={"programs": use.writers})
    else:
        reason = Reason(code=Code.OTHERS_READ, figures={"programs": use.readers})
    return _shared(reason, 0.5, use)


def made_by_subject(root: Root) -> Ownership | None:
    """The subject made it, and no other program of the database touched it."""
    if not root.is_made:
        return None
    if root.place.area is Area.DOCUMENT:
        return _owned(Reason(code=Code.DOCUMENT), 0.65)
    return _owned(Reason(code=Code.MADE_BY), 0.7)


def somebodys_document(root: Root) -> Ownership | None:
    """A file of the user that was there before: the user's, not the program's."""
    if root.place.area is not Area.DOCUMENT:
        return None
    return _shared(Reason(code=Code.DOCUMENT), 0.5, OtherPrograms())


def sole_user(root: Root) -> Ownership:
    """It was there before, and the subject is the only one seen to use it."""
    del root
    return _owned(Reason(code=Code.SOLE_USER), 0.55)


def _others(root: Root) -> OtherPrograms:
    uses = root.judged.facts.other_uses
    found = [uses[state.path] for state in root.states if state.path in uses]
    return OtherPrograms(
        readers=tuple(sorted({program for use in found for program in use.readers})),
        writers=tuple(sorted({program for use in found for program in use.writers})),
    )


def _owned(reason: Reason, confidence: float) -> Ownership:
    return Ownership(scope=Scope.OWNED, reason=reason, confidence=confidence)


def _shared(reason: Reason, confidence: float, use: OtherPrograms) -> Ownership:
    programs = tuple(sorted({*use.readers, *use.writers}))
    return Ownership(scope=Scope.SHARED, reason=reason, confidence=confidence, used_by=programs)


_RULES: tuple[Callable[[Root], Ownership | None], ...] = (
    declared_by_unit,
    named,
    service_home,
    common,
    used_by_others,
    made_by_subject,
    somebodys_document,
    sole_user,
)
