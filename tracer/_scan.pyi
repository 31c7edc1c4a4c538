from typing import TypeAlias

Piece: TypeAlias = tuple[
    list[bytes], list[bytes], bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bool
]
"""Directories, other names; of these mode, uid, gid, links (each uint32), size, bytes held, mtime,
ctime (each int64), inode (uint64), packed; whether there is more."""

def open_directory(directory: int, path: bytes, /) -> int: ...
def read_piece(directory: int, /) -> Piece: ...
def notable(names: list[bytes], words: frozenset[bytes], /) -> list[int]: ...
