"""What programs in Python do: each function is a tracee, and its docstring declares what is seen.

    python3 programs.py NAME

It runs in an empty directory of its own, like those in C (declared.py beside it has the words).
"""

import os
import shutil
import socket
import sys
import tempfile
import threading


def replaced_by_rename() -> None:
    """Write a new version beside a file, and rename it over the old one.

    given   settings
    make    settings.new
    rename  settings.new -> settings
    left    settings modified, settings.new unchanged
    log     left settings created instead of left settings modified: it may have been new
    """
    with open("settings.new", "x") as file:
        file.write("new")
    os.replace("settings.new", "settings")


def tree_is_removed() -> None:
    """Remove a directory with all that is in it, by descriptors.

    given   top/ top/inner/ top/inner/file top/link->inner
    read    top
    read    top/inner
    delete  top/inner/file
    delete  top/inner
    delete  top/link
    delete  top
    left    top deleted, top/inner deleted, top/inner/file deleted, top/link deleted
    """
    shutil.rmtree("top")


def names_below_descriptors() -> None:
    """Act on names below an open directory, from another working directory.

    given   dir/ other/
    read    dir
    make    dir/a
    rename  dir/a -> dir/b
    link    dir/b -> dir/c
    symlink dir/d -> b
    mkdir   dir/e
    delete  dir/c
    left    dir/a unchanged, dir/b created, dir/c unchanged, dir/d created, dir/e created
    """
    top = os.open("dir", os.O_RDONLY)
    os.chdir("other")
    os.close(os.open("a", os.O_CREAT | os.O_EXCL | os.O_WRONLY, dir_fd=top))
    os.rename("a", "b", src_dir_fd=top, dst_dir_fd=top)
    os.link("b", "c", src_dir_fd=top, dst_dir_fd=top)
    os.symlink("b", "d", dir_fd=top)
    os.mkdir("e", dir_fd=top)
    os.unlink("c", dir_fd=top)


def threads_of_an_interpreter() -> None:
    """Make files in several threads.

    make    0
    make    1
    make    2
    left    0 created, 1 created, 2 created
    """
    threads = [threading.Thread(target=open, args=(str(n), "x")) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def temporary_directory() -> None:
    """Make and remove a directory, and a file without a name.

    given   tmp/
    mkdir   tmp/here
    make    tmp/here/file
    delete  tmp/here/file
    delete  tmp/here
    left    tmp/here unchanged, tmp/here/file unchanged
    """
    os.mkdir("tmp/here")
    with open("tmp/here/file", "x") as file:
        file.write("x")
    os.unlink("tmp/here/file")
    os.rmdir("tmp/here")
    with tempfile.TemporaryFile(dir="tmp") as nameless:
        nameless.write(b"x")


def descriptor_from_another_process() -> None:
    """Get a file that a child opened.

    given   file
    read    file
    write   file
    left    file modified
    """
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        socket.send_fds(theirs, [b"x"], [os.open("file", os.O_RDWR)])
        os._exit(0)
    _, (fd, *_), _, _ = socket.recv_fds(ours, 1, 1)
    os.wait()
    os.write(fd, b"written")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
