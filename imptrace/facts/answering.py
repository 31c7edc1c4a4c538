r"""What the recorder of the machine and who asks it say to each other, over a local socket.

client: imptrace/1 read\n
server: imptrace/1 ok LENGTH\n, and so many bytes: a database; or imptrace/1 no REASON\n
"""

SOCKET = "/run/imptrace/imptrace.sock"
MOST_LINE = 256
"""Bytes of a line, its end included."""
MOST_ANSWER = 1 << 30
"""Bytes of an answer that a client takes."""
READ = b"imptrace/1 read\n"
OK = b"imptrace/1 ok "
NO = b"imptrace/1 no "
