from typing import TypeAlias

Sight: TypeAlias = int | tuple[int, int, int, int, int, int, int, int, bytes | None]
"""The errno of lstat; or mode, size, uid, gid, mtime_ns, inode, device, ctime_ns, text."""

def look(
    paths: list[bytes],
    clues: tuple[tuple[int, bytes], ...],
    direct: bool = False,
    /,
) -> list[Sight]: ...
