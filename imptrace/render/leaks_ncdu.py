"""What would be lost, in the form that ncdu reads (https://dev.yorhel.nl/ncdu/jsonfmt)."""

import os
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from stat import S_ISDIR, S_ISREG

from imptrace.facts.levels import Kind
from imptrace.facts.paths import name_of, parents_of

_BLOCK = 512


def export(base: bytes, paths: Iterable[tuple[bytes, Kind]]) -> Iterator[bytes]:
    """Write the tree of all paths, with all that lies in the directories among them."""
    wanted = {path for path, _ in paths}
    above = {parent for path in wanted for parent in (*parents_of(path), b"/")}
    head = b'{"progname":"imptrace","progver":"%s","timestamp":%d}' % (
        version("imptrace").encode(),
        time.time(),
    )
    yield b"[1,2," + head + b",\n"
    yield from _tree(base.rstrip(b"/"), wanted, above)
    yield b"]\n"


def _tree(base: bytes, wanted: set[bytes], above: set[bytes]) -> Iterator[bytes]:
    """Write directories as lists, the deepest first closed, without recursion."""
    yield b"[" + _described(base or b"/", base + b"/")
    waiting = [_entries(base, b"", wanted, above, is_whole=b"/" in wanted)]
    while waiting:
        following = next(waiting[-1], None)
        if following is None:
            waiting.pop()
            yield b"]"
            continue
        path, is_directory, is_whole = following
        described = _described(name_of(path), base + path)
        if not is_directory:
            yield b",\n" + described
            continue
        yield b",\n[" + described
        waiting.append(_entries(base, path, wanted, above, is_whole=is_whole))


def _entries(
    base: bytes, path: bytes, wanted: set[bytes], above: set[bytes], *, is_whole: bool
) -> Iterator[tuple[bytes, bool, bool]]:
    """Yield each entry that is wanted: its path, whether it is a directory, and wanted whole."""
    try:
        with os.scandir(base + path or b"/") as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return
    for name in names:
        inside = path + b"/" + name
        is_wanted = is_whole or inside in wanted
        if is_wanted or inside in above:
            try:
                is_directory = S_ISDIR(os.lstat(base + inside).st_mode)
            except OSError:
                continue
            if not (is_directory and is_wanted and os.path.ismount(base + inside)):
                yield inside, is_directory, is_wanted


def _described(name: bytes, real: bytes) -> bytes:
    quoted = b'{"name":"' + b"".join(map(_escaped, name)) + b'"'
    try:
        st = os.lstat(real)
    except OSError:
        return quoted + b',"read_error":true}'
    size = b',"asize":%d,"dsize":%d,"ino":%d,"mtime":%d' % (
        st.st_size,
        st.st_blocks * _BLOCK,
        st.st_ino,
        max(0, int(st.st_mtime)),
    )
    if S_ISDIR(st.st_mode):
        return quoted + size + b',"dev":%d}' % st.st_dev
    kind = b"" if S_ISREG(st.st_mode) else b',"notreg":true'
    links = b',"hlnkc":true,"nlink":%d' % st.st_nlink if st.st_nlink > 1 else b""
    return quoted + size + kind + links + b"}"


def _escaped(byte: int) -> bytes:
    """Write one byte of a name: ncdu takes any but those that JSON cannot hold."""
    if byte in b'"\\':
        return b"\\" + bytes([byte])
    return b"\\u%04x" % byte if byte < 0x20 or byte == 0x7F else bytes([byte])  # noqa: PLR2004 (control characters)
