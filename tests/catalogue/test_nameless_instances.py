"""What `recommend` calls known to the catalogue, `diff` calls kept: also the nameless instance."""

from collections.abc import Iterator

import pytest

from imptrace.catalogue import Entry, EntryPlace, KeptPath, shipped
from imptrace.facts.levels import Kind
from imptrace.facts.patterns import INSTANCE_NAME
from imptrace.judge.model import Scope
from imptrace.kept.compare import Observed, Status, compare
from imptrace.kept.declared import declared_by_entry
from tests.judge.factory import advice, created, made, run


def _instances() -> Iterator[tuple[Entry, KeptPath]]:
    for entry in shipped().of(EntryPlace.SERVICE):
        for kept in entry.instances:
            if kept.kind is Kind.DIRECTORY:
                yield entry, kept


@pytest.mark.parametrize(
    ("entry", "kept"),
    [pytest.param(*each, id=each[0].id + each[1].path.decode()) for each in _instances()],
)
def test_both_answers_agree(entry: Entry, kept: KeptPath) -> None:
    before, _, after = kept.path.partition(INSTANCE_NAME)
    path = before.rstrip(b"-/") + after
    told = advice(
        run(made(path, uid=990), created(path + b"/data"), uid=990), entry=entry, entries=(entry,)
    )
    seen = [
        Observed(path=each.path, kind=each.kind, level=each.level)
        for each in told.recommendations
        if each.scope is Scope.OWNED
    ]
    differences = compare(declared_by_entry(entry, None, seen), seen)
    found = {each.path: each.status for each in differences if each.observed is not None}
    assert found
    assert Status.MISSING not in found.values()
