"""What is remembered of processes ends with them."""

from imptrace.tracer.native.repeats import GRACE_NS, WINDOW, NumberedFacts


def test_facts_of_those_that_live() -> None:
    """They are found by number, however many others came and went."""
    known: NumberedFacts[str] = NumberedFacts()
    first = known.add(1, "of the first")
    for process in range(2, 50_000):
        number = known.add(process, f"of {process}")
        assert known.get(number) == f"of {process}"
        known.ended(process, process * 1_000_000)
    assert known.get(first) == "of the first"
    assert known.get(first + 1) is None
    assert len(known) <= GRACE_NS / 1_000_000 + 3
    assert len(known._blocks) < 20


def test_one_that_ended_just_now_is_known() -> None:
    """Repeats of what it did come a little after its end."""
    known: NumberedFacts[str] = NumberedFacts()
    number = known.add(1, "late")
    known.ended(1, 5)
    known.ended(2, 5 + GRACE_NS)
    assert known.get(number) == "late"
    known.ended(3, 6 + GRACE_NS)
    assert known.get(number) is None


def test_one_process_without_end() -> None:
    """Of a process that lives, only the latest are remembered."""
    known: NumberedFacts[int] = NumberedFacts()
    for number in range(1, 3 * WINDOW):
        known.add(1, number)
    assert known.get(known.last - WINDOW + 512) == known.last - WINDOW + 512
    assert known.get(1) is None
    assert len(known._blocks) * 256 < WINDOW + 1024
    known.ended(1, 0)
    known.ended(2, GRACE_NS + 1)
    assert known.get(known.last - 1) is None
