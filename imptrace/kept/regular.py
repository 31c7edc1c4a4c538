"""Opening files that others may exchange meanwhile.

Whose directory it is can put a FIFO in a file's place, which keeps whoever opens it waiting, a
device, which opening may set off, or a link to what only root may read. So what is there is held
first, which opens nothing; only where it is the file that was meant, it is opened.
"""

import errno
import os
import stat


def open_regular(
    path: bytes, inode: tuple[int, int] | None = None, directory: int | None = None
) -> int:
    """Open a file to read, never anything else, nor through a link as its last name.

    `inode`: device and number of the file that was seen there. Raises OSError.
    """
    held = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        st = os.fstat(held)
        if not stat.S_ISREG(st.st_mode) or inode not in (None, (st.st_dev, st.st_ino)):
            raise OSError(errno.ESTALE, "something else was put in its place", path)
        # Not to wait for whoever holds a lease of it either.
        return os.open(b"/proc/self/fd/%d" % held, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    finally:
        os.close(held)
