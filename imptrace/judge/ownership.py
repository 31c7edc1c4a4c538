"""Whose a directory or file is: the subject's own, or shared with others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imptrace.db.records import OtherPrograms
from imptrace.facts.conventions import common_name
from imptrace.facts.paths import is_within
from imptrace.facts.units import private_path, unit_directories
from imptrace.judge.codes import Code
from imptrace.judge.model import Context, Figure, Reason, Scope
from imptrace.judge.names import Names
from imptrace.judge.places import Area, Place
from imptrace.judge.roots import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Whose something is, why, and how sure that is."""

    scope: Scope
    reason: Reason
    confidence: float
    used_by: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry of a container, with what the runs did to it and below it."""

    root: bytes
    place: Place
    members: Sequence[State]
    is_made: bool
    """The subject made the root itself."""
    names: Names
    context: Context

    @property
    def changed_by(self) -> frozenset[bytes]:
        """The programs of the subject that changed something of it."""
        return frozenset[bytes]().union(*{member.facts.programs for member in self.members})


def ownership_of(candidate: Candidate) -> Ownership:
    """Decide whose a candidate is. The rules are asked in order; the last one always answers."""
    return next(ownership for rule in _RULES if (ownership := rule(candidate)) is not None)


def declared_by_unit(candidate: Candidate) -> Ownership | None:
    """StateDirectory= and its kin name it."""
    for declared in unit_directories(candidate.context.unit_properties):
        if any(
            is_within(candidate.root, each) for each in (declared.path, private_path(declared.path))
        ):
            figures = {"property": declared.key}
            return _owned(Reason(code=Code.UNIT_DECLARES, figures=figures), 0.9)
    return None


def named(candidate: Candidate) -> Ownership | None:
    """It bears a name of the subject, or lies in an entry that does: `/var/lib/keeper/data`."""
    if candidate.place.area is Area.DOCUMENT:
        return None
    below = candidate.root[len(candidate.place.container) :].strip(b"/")
    for component in below.split(b"/"):
        name = candidate.names.match(component, candidate.changed_by)
        if name is not None:
            figures: dict[str, Figure] = {"component": component, "name": name}
            return _owned(Reason(code=Code.NAMED, figures=figures), 0.85)
    return None


def service_home(candidate: Candidate) -> Ownership | None:
    """It is the home directory of the service's own user."""
    for user in candidate.context.users:
        if user.home == candidate.root and not user.is_person and user.name in candidate.names.all:
            return _owned(Reason(code=Code.SERVICE_HOME, figures={"user": user.name}), 0.85)
    return None


def common(candidate: Candidate) -> Ownership | None:
    """A well-known common file, `/etc/passwd` or `~/.config/mimeapps.list`."""
    found = common_name(candidate.root, candidate.place.home)
    if found is None:
        return None
    reason = Reason(code=Code.COMMON, figures={"what": found})
    return _shared(reason, 0.6, _others(candidate))


def used_by_others(candidate: Candidate) -> Ownership | None:
    """Other programs of the database write it; or read it, and nothing names it for the subject."""
    use = _others(candidate)
    if not use.writers and not use.readers:
        return None
    if use.writers:
        reason = Reason(code=Code.OTHERS_CHANGE, figures={"programs": use.writers})
    else:
        reason = Reason(code=Code.OTHERS_READ, figures={"programs": use.readers})
    return _shared(reason, 0.5, use)


def made_by_subject(candidate: Candidate) -> Ownership | None:
    """The subject made it, and no other program of the database touched it."""
    if not candidate.is_made:
        return None
    if candidate.place.area is Area.DOCUMENT:
        return _owned(Reason(code=Code.DOCUMENT), 0.65)
    return _owned(Reason(code=Code.MADE_BY), 0.7)


def somebodys_document(candidate: Candidate) -> Ownership | None:
    """A file of the user that was there before: the user's, not the program's."""
    if candidate.place.area is not Area.DOCUMENT:
        return None
    return _shared(Reason(code=Code.DOCUMENT), 0.5, OtherPrograms())


def sole_user(candidate: Candidate) -> Ownership:
    """It was there before, and the subject is the only one seen to use it."""
    del candidate
    return _owned(Reason(code=Code.SOLE_USER), 0.55)


def _others(candidate: Candidate) -> OtherPrograms:
    uses = candidate.context.other_uses
    found = [uses[member.path] for member in candidate.members if member.path in uses]
    return OtherPrograms(
        readers=tuple(sorted({program for use in found for program in use.readers})),
        writers=tuple(sorted({program for use in found for program in use.writers})),
    )


def _owned(reason: Reason, confidence: float) -> Ownership:
    return Ownership(scope=Scope.OWNED, reason=reason, confidence=confidence)


def _shared(reason: Reason, confidence: float, use: OtherPrograms) -> Ownership:
    programs = tuple(sorted({*use.readers, *use.writers}))
    return Ownership(scope=Scope.SHARED, reason=reason, confidence=confidence, used_by=programs)


_RULES: tuple[Callable[[Candidate], Ownership | None], ...] = (
    declared_by_unit,
    named,
    service_home,
    common,
    used_by_others,
    made_by_subject,
    somebodys_document,
    sole_user,
)
