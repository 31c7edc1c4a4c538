"""Times of a log keep the order of its lines."""

from imptrace.tracer.strace.clock import Clock


def test_what_is_told_of_one_second_follows_in_order() -> None:
    """With -t a file that is made and deleted in one second would else be there in the end."""
    clock = Clock()
    times = [clock.read(b"11:32:41") for _ in range(3)] + [clock.read(b"11:32:42")]
    assert times == sorted(set(times))
    assert times[-1] == 10**9


def test_fractions_are_taken_as_they_are() -> None:
    clock = Clock()
    assert [clock.read(b"1.5"), clock.read(b"1.75"), clock.read(b"1.75")] == [
        0, 250_000_000, 250_000_001,
    ]  # fmt: skip
