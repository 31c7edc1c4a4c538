"""Asking the recorder of the machine what one's own processes did: the client's side."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import IO

from imptrace.errors import ImptraceError
from imptrace.facts.answering import MOST_ANSWER, MOST_LINE, NO, OK, READ, asked_place

ASKED = "service"
"""Names it in place of a database."""
_SECONDS = 60.0
_PIECE = 1 << 20


def is_answered() -> bool:
    """Whether somebody may answer here."""
    return os.path.exists(asked_place())


@contextmanager
def told(place: str | None = None) -> Iterator[str]:
    """Ask, and give the path of the database that is the answer. Raises ImptraceError."""
    place = place or asked_place()
    with NamedTemporaryFile(prefix="imptrace-", suffix=".db") as file:
        try:
            _receive(place, file)
            file.flush()
        except OSError as error:
            raise ImptraceError(
                f"{place}: the machine's recorder does not answer: {error.strerror or error}"
            ) from error
        yield file.name


def _receive(place: str, file: IO[bytes]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(place)
        connection.sendall(READ)
        opened = connection.makefile("rb")
        line = opened.readline(MOST_LINE)
        if line.startswith(NO):
            raise ImptraceError(f"{place}: {line[len(NO) :].decode(errors='replace').strip()}")
        text = line.removeprefix(OK).strip()
        if not line.startswith(OK) or not text.isdigit() or int(text) > MOST_ANSWER:
            raise ImptraceError(f"{place}: this is no answer of imptrace's")
        left = int(text)
        while left:
            piece = opened.read(min(left, _PIECE))
            if not piece:
                raise ImptraceError(f"{place}: the answer ended early; try again")
            file.write(piece)
            left -= len(piece)
