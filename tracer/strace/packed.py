"""Logs that are packed, or in another encoding than UTF-8."""

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Final

_MAGIC: Final[tuple[tuple[bytes, Callable[[Path], BufferedIOBase]], ...]] = (
    (b"\x1f\x8b", gzip.GzipFile),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"]\x00\x00", lzma.LZMAFile),
    (b"BZh", bz2.BZ2File),
)
_PACKED: Final = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"\x1f\x9d", "compress"),
)
_ENCODINGS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MANY_ZEROS: Final = 4


class PackedError(OSError):
    """A file is packed in a way that the standard library does not read, or damaged."""


def is_packed(start: bytes) -> bool:
    """Whether a file has to be unpacked or decoded as it is read."""
    return _opener(start) is not None or _encoding(start) is not None


def unpacked(path: Path, size: int) -> Iterator[bytes]:
    """Read a packed or encoded file as UTF-8 in blocks. Raises OSError for one that is damaged."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, name in _PACKED:
        if start.startswith(magic):
            raise PackedError(0, f"it is packed with {name}: unpack it first")
    try:
        with (_opener(start) or _plain)(path) as file:
            first = file.read(size)
            encoding = _encoding(first)
            decode = codecs.getincrementaldecoder(encoding or "utf-8")("surrogateescape")
            block = first
            while block:
                yield (
                    block
                    if encoding is None
                    else decode.decode(block).encode("utf-8", "surrogateescape")
                )
                block = file.read(size)
    except (EOFError, lzma.LZMAError, zlib.error, UnicodeError) as error:
        raise PackedError(0, f"it cannot be unpacked: {error}") from error


def _plain(path: Path) -> BufferedIOBase:
    return path.open("rb")


def _opener(start: bytes) -> Callable[[Path], BufferedIOBase] | None:
    return next((opened for magic, opened in _MAGIC if start.startswith(magic)), None)


def _encoding(start: bytes) -> str | None:
    for mark, name in _ENCODINGS:
        if start.startswith(mark):
            return name
    # UTF-16 without a mark, as some editors write it.
    for name, zeros in (("utf-16-le", start[1:80:2]), ("utf-16-be", start[:80:2])):
        if len(zeros) > _MANY_ZEROS and not any(zeros):
            return name
    return None


def head_of(path: Path, size: int) -> bytes:
    """Read the beginning of a file as text. Raises OSError where that is refused."""
    return next(iter(unpacked(path, size)), b"")
