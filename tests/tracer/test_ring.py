"""Records that no supervisor writes: the reader of the ring says so, whatever they are."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from fuzzing import budget
from hypothesis import given
from hypothesis import strategies as st

from imptrace.tracer.events import Access, AllGone
from imptrace.tracer.native.ring import HEADER, Decoder

# In a process of its own: a recorder is started while there is one thread.
RECORD = """
import os, sys
from imptrace.tracer.notify.recorder import start_recording
from imptrace.tracer.program import Program
from imptrace.tracer.recorder import RecorderOptions
from imptrace.tracer.events import AllGone
from imptrace.tracer.native.ring import Decoder
script = b"exec >/dev/null 2>&1; mkdir d; echo >d/f; mv d e; ln -s a b; cat e/f c; rm -r e b; ls /"
program = Program(path=b"/bin/sh", argv=(b"sh", b"-c", script), environ=dict(os.environb))
recording = start_recording(program, RecorderOptions())
decoder, gone = Decoder(), False
while not gone:
    chunk = recording.read(2000)
    os.write(1, chunk)
    gone = any(isinstance(event, AllGone) for event in decoder.decode(chunk))
"""
_records = st.builds(
    lambda kind, op, outcome, has, rest: (
        HEADER.pack(HEADER.size + len(rest), kind, op, outcome, has) + rest
    ),
    st.integers(0, 12),
    st.integers(0, 20),
    st.integers(0, 6),
    st.integers(0, 255),
    st.binary(max_size=160),
)
_damages = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=12)


def decode(data: bytes) -> int:
    """Read records up to the end or to the first that means nothing; returns how many events."""
    count = 0
    try:
        for event in Decoder().decode(data):
            count += 1
            if isinstance(event, Access):
                assert isinstance(event.path, bytes)
                assert event.count >= 0
    except ValueError:
        pass
    return count


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a program; returns a file with what its ring held."""
    place = tmp_path_factory.mktemp("ring")
    with (place / "stream").open("wb") as file:
        subprocess.run(
            [sys.executable, "-c", RECORD], cwd=place, stdout=file, check=True, timeout=60
        )
    return place / "stream"


@budget(300)
@given(st.one_of(st.binary(), st.lists(_records).map(b"".join)))
def test_any_bytes(data: bytes) -> None:
    """Nothing but the one error, and never more events than records fit."""
    assert decode(data) <= len(data) // HEADER.size


@budget(200)
@given(_damages, st.floats(0, 1))
def test_a_damaged_stream(stream: Path, damages: list[tuple[float, bytes]], length: float) -> None:
    """What a real supervisor wrote, with other bytes anywhere, and cut off."""
    data = bytearray(stream.read_bytes())
    whole = len(data)
    for position, bytes_ in damages:
        start = int(position * (whole - len(bytes_)))
        data[start : start + len(bytes_)] = bytes_
    decode(bytes(data[: int(length * whole)]))


def test_the_stream_itself(stream: Path) -> None:
    """Undamaged, it is read to its end."""
    events = list(Decoder().decode(stream.read_bytes()))
    assert isinstance(events[-1], AllGone)
    assert sum(isinstance(event, Access) for event in events) > 20


def test_a_record_cannot_claim_memory() -> None:
    """Lengths of four gigabytes in a record of a few bytes take none."""
    claims = b"\xff" * 120
    tracemalloc.start()
    for kind in range(12):
        decode(HEADER.pack(HEADER.size + len(claims), kind, 0, 0, 255) + claims)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
