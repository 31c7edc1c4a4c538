"""What the catalogue and the running unit declare, and no run has shown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from imptrace.catalogue import Entry, EntryPlace, KeptPath, Written
from imptrace.facts.levels import Level
from imptrace.facts.paths import is_within, lies_below, parent_of
from imptrace.facts.people import Home
from imptrace.facts.units import private_path, unit_directories
from imptrace.judge.attribution import notes_of
from imptrace.judge.codes import Code
from imptrace.judge.model import Facts, Figure, Kind, Method, Reason, Recommendation, Scope

DECLARED = 0.7
"""How sure it is: only the catalogue or the unit says so."""

_METHODS = {
    Written.IN_PLACE: Method.BIND,
    Written.LINK: Method.SYMLINK,
    Written.IF_ABSENT: Method.SYMLINK,
    Written.RENAME: Method.NONE,
}


def declared_method(kept: KeptPath) -> Method:
    """How the catalogue says that a path can be kept."""
    return _METHODS[kept.written] if kept.kind is Kind.FILE else Method.BIND


def declared_recommendations(facts: Facts, found: Sequence[Recommendation]) -> list[Recommendation]:
    """Every declared path that is not among `found`, nor kept or held by something there."""
    declared = list(_catalogued(facts))
    places = [each.on_nixos.path if each.on_nixos else each.path for each in found]
    known = [*places, *(each.path for each in declared)]
    declared += (each for each in _of_unit(facts) if not _is_covered(each.path, known))
    return [each for each in declared if not _is_covered(each.path, places)]


def unseen_secrets(facts: Facts, found: Sequence[Recommendation]) -> list[Recommendation]:
    """Secrets that the catalogue knows inside of what is kept with less care.

    No run has written them, but the first login writes them into that directory. Of a service they
    are not told: whether it has such a secret is for the configuration to say.
    """
    kept = [each for each in found if each.kind is Kind.DIRECTORY and each.scope is Scope.OWNED]
    return [
        secret
        for secret in _secrets(facts, {each.home for each in kept})
        if any(lies_below(secret.path, each.path) for each in kept)
        and not any(
            is_within(secret.path, each.path) for each in kept if each.level is Level.SECRET
        )
        and all(secret.path != each.path for each in found)
    ]


def _secrets(facts: Facts, homes: Iterable[Home | None]) -> Iterator[Recommendation]:
    for home in homes:
        for entry in facts.entries:
            if entry.place is not EntryPlace.HOME:
                continue
            for each in _of_one(entry, home):
                if each.level is Level.SECRET and each.scope is Scope.OWNED:
                    yield each


def _is_covered(path: bytes, paths: Iterable[bytes]) -> bool:
    return any(
        is_within(name, each) or is_within(each, name)
        for each in paths
        for name in (path, private_path(path))
    )


def _catalogued(facts: Facts) -> Iterator[Recommendation]:
    for entry in (facts.entry, *facts.included):
        if entry is not None:
            yield from _of_one(entry, facts.home)


def _of_one(entry: Entry, home: Home | None) -> Iterator[Recommendation]:
    for kept, scope in (
        *((kept, Scope.OWNED) for kept in entry.persist),
        *((kept, Scope.SHARED) for kept in entry.shared),
    ):
        if kept.is_pattern or kept.before_state_version is not None:
            continue
        if entry.place is EntryPlace.SERVICE:
            yield _of_entry(entry, kept, scope, kept.path, None)
        elif home is not None:
            yield _of_entry(entry, kept, scope, home.path + b"/" + kept.path, home)


def _of_entry(
    entry: Entry, kept: KeptPath, scope: Scope, path: bytes, home: Home | None
) -> Recommendation:
    figures: dict[str, Figure] = {"entry": entry.title, "path": path}
    method = declared_method(kept)
    where: dict[str, Figure] = {"path": path, "directory": parent_of(path)}
    no_entry = [Reason(code=Code.NO_ENTRY_WORKS, figures=where)] if method is Method.NONE else []
    return Recommendation(
        path=path,
        kind=kept.kind,
        scope=scope,
        level=kept.level,
        user=kept.user,
        group=kept.group,
        mode=kept.mode,
        confidence=DECLARED,
        observed=False,
        covers=0,
        reasons=(Reason(code=Code.CATALOGUED, figures=figures), *notes_of(kept), *no_entry),
        method=method,
        home=home,
    )


def _of_unit(facts: Facts) -> Iterator[Recommendation]:
    properties = facts.unit_properties
    for declared in unit_directories(properties):
        figures = {"property": declared.key}
        yield Recommendation(
            path=declared.path,
            kind=Kind.DIRECTORY,
            scope=Scope.OWNED,
            level=declared.level,
            user=declared.user,
            group=declared.group,
            mode=declared.mode,
            confidence=DECLARED,
            observed=False,
            covers=0,
            reasons=(Reason(code=Code.UNIT_DECLARES, figures=figures),),
        )


_PRIVATE_MODE = 0o700
_DEPTH = 3
"""Slashes in `/var/lib/NAME`."""


def with_private_paths(found: Iterable[Recommendation], facts: Facts) -> list[Recommendation]:
    """Name the private directory where the subject's unit has a dynamic user."""
    if not _has_dynamic_user(facts):
        return list(found)
    return [_private(each) for each in found]


def _has_dynamic_user(facts: Facts) -> bool:
    entry = facts.entry
    properties = [facts.unit_properties, *(run.run.properties for run in facts.runs)]
    declared = next((each["DynamicUser"] for each in properties if "DynamicUser" in each), None)
    if declared is not None:
        return declared == "yes"
    return entry is not None and entry.dynamic_user


def _private(recommendation: Recommendation) -> Recommendation:
    """`/var/lib/NAME` is a link that systemd makes to `/var/lib/private/NAME`."""
    private = private_path(recommendation.path)
    public = private.replace(b"/private/", b"/", 1)
    if private == public:
        return recommendation
    is_whole = public.count(b"/") == _DEPTH
    # The user exists only while the service runs, and systemd hands the directory over to it.
    return replace(
        recommendation,
        path=private,
        user=None,
        group=None,
        mode=_PRIVATE_MODE if is_whole else recommendation.mode,
        reasons=(
            *recommendation.reasons,
            Reason(code=Code.DYNAMIC_USER, figures={"public": public}),
        ),
    )
