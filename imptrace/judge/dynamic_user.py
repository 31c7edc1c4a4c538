"""A service with DynamicUser: its directory has two names, and only the private one can be kept."""

from collections.abc import Iterable
from dataclasses import replace

from imptrace.facts.units import private_path
from imptrace.judge.codes import Code
from imptrace.judge.context import Facts
from imptrace.judge.model import Reason, Recommendation

_PRIVATE_MODE = 0o700
_DEPTH = 3
"""Slashes in `/var/lib/NAME`."""


def with_private_paths(found: Iterable[Recommendation], facts: Facts) -> list[Recommendation]:
    """Name the private directory where the subject's unit has a dynamic user."""
    if not _has_dynamic_user(facts):
        return list(found)
    return [_private(each) for each in found]


def _has_dynamic_user(facts: Facts) -> bool:
    entry = facts.context.entry
    properties = [facts.context.unit_properties, *(run.run.properties for run in facts.runs)]
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
