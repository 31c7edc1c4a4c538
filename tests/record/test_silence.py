"""Silence is what somebody else keeps: neither work nor a wait for a processor counts."""

import time
from threading import Event, Thread, get_native_id

import pytest

from imptrace.record.silence import Silence

SECONDS = 0.5


@pytest.mark.parametrize("works", [False, True], ids=["waits", "works"])
def test_a_thread(*, works: bool) -> None:
    numbers: list[int] = []
    begun, end = Event(), Event()

    def act() -> None:
        numbers.append(get_native_id())
        begun.set()
        while not end.wait(0 if works else None):
            pass

    thread = Thread(target=act)
    thread.start()
    try:
        assert begun.wait(60)
        silence = Silence(numbers[0])
        heard = time.monotonic()
        silence.seconds(heard)
        time.sleep(SECONDS)
        told = silence.seconds(heard)
        passed = time.monotonic() - heard
    finally:
        end.set()
        thread.join()
    if works:
        assert told < passed / 2
    else:
        assert told > passed / 2
