r"""What the recorder of the machine and who asks it say to each other, over a local socket.

client: imptrace/1 read\n
server: imptrace/1 ok LENGTH\n, and so many bytes: a database; or imptrace/1 no REASON\n

client: imptrace/1 follow RECORDS WHAT\n, from the process that is about to execute a program
server: imptrace/1 following START\n (nanoseconds of CLOCK_MONOTONIC), then frames: a length of
four bytes in native order, and so many bytes of whole records (tracer/native/records.h), until
nothing of the program is left; or imptrace/1 no REASON\n

client: imptrace/1 attach RECORDS WHAT PID...\n, of processes of his that run already
server: as to follow
"""

import os
from struct import Struct

SOCKET = "/run/imptrace/imptrace.sock"
ENVIRONMENT = "IMPTRACE_SOCKET"
"""Names another socket to ask at."""
MOST_LINE = 256
"""Bytes of a line, its end included."""
MOST_ANSWER = 1 << 30
"""Bytes of an answer that a client takes."""
FRAME = Struct("=I")
"""The length before each frame."""
MOST_FRAME = 16 << 20
"""Bytes of a frame that a client takes."""
READ = b"imptrace/1 read\n"
OK = b"imptrace/1 ok "
NO = b"imptrace/1 no "
RECORDS = 1
"""Counts the layouts of records that there were, as client and server may be of different ages."""
FOLLOW = b"imptrace/1 follow %d " % RECORDS
ATTACH = b"imptrace/1 attach %d " % RECORDS
FOLLOWING = b"imptrace/1 following "
EVERYTHING, WRITES, QUESTIONS = b"all", b"writes", b"stats"
"""What is to be told of it; QUESTIONS: also calls that only ask (stat, access, readlink)."""


def asked_place() -> str:
    """Tell where to ask."""
    return os.environ.get(ENVIRONMENT) or SOCKET
