"""An independent witness: what a program changed, told from a log of `strace -f -y`.

It shares nothing with the recorders but the lexer of one line, and knows only calls that
succeeded. Symbolic links are resolved on this machine after the run.
"""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imptrace.tracer.strace.lines import (
    Call,
    LineKind,
    LogLine,
    first_part,
    parse_call,
    parse_descriptor,
    parse_line,
    parse_text,
)
from imptrace.tracer.syscalls import AT_FDCWD

TRACED = "%file,%process,fchdir,ftruncate,fchmod,fchown,bind,fsetxattr,fremovexattr"
STRACE = ("strace", "-f", "-y", "-q", "-s", "4096", "-e", f"trace={TRACED}")


@dataclass(slots=True)
class Story:
    """Absolute paths that a program changed, by what it did; only calls that succeeded."""

    created: set[bytes] = field(default_factory=set)
    """Surely made: mkdir, link, bind, O_EXCL, or O_CREAT after a call that did not find it."""
    written: set[bytes] = field(default_factory=set)
    """Opened for writing, or truncated."""
    renamed: set[tuple[bytes, bytes]] = field(default_factory=set)
    """(old name, new name)."""
    deleted: set[bytes] = field(default_factory=set)
    attributed: set[bytes] = field(default_factory=set)
    """Mode, owner, times or extended attributes set."""

    @property
    def touched(self) -> set[bytes]:
        """Every path that some call named in order to change something, both names of a rename."""
        names = {name for pair in self.renamed for name in pair}
        return self.created | self.written | self.deleted | names


def strace_story(command: Sequence[str | bytes], log: Path, cwd: Path | None = None) -> Story:
    """Run `command` under the real strace, in `cwd`, and read the log that it writes."""
    subprocess.run([*STRACE, "-o", str(log), "--", *command], cwd=cwd, check=False)
    return read_story(log, os.fsencode(cwd or Path.cwd()))


def read_story(log: Path, cwd: bytes) -> Story:
    """Read a log of `STRACE` about a program that was started in `cwd`."""
    reader = _Reader(cwd)
    with log.open("rb") as lines:
        for text in lines:
            line = parse_line(text.rstrip(b"\n"))
            if line is not None:
                reader.read(line)
    return reader.story


class _Reader:
    def __init__(self, cwd: bytes) -> None:
        self.story = Story()
        self._first_cwd = cwd
        self._cwds: dict[int | None, bytes] = {}
        self._unfinished: dict[tuple[int | None, bytes], bytes] = {}
        self._absent: set[bytes] = set()

    def read(self, line: LogLine) -> None:
        rest = line.rest
        if line.kind is LineKind.RESUMED:
            rest = self._unfinished.pop((line.tid, line.name), b"") + rest
        elif line.kind is not LineKind.CALL:
            return
        begun = first_part(rest)
        if begun is not None:
            self._unfinished[line.tid, line.name] = begun
            if line.name in (b"clone", b"clone3", b"fork", b"vfork"):
                self._first_cwd = self._cwd(line.tid)  # the child may speak first
            return
        handle = _HANDLERS.get(line.name)
        call = parse_call(rest) if handle else None
        if handle and call:
            handle(self, line.tid, line.name, call)

    def _cwd(self, tid: int | None) -> bytes:
        return self._cwds.setdefault(tid, self._first_cwd)

    def _named(self, tid: int | None, dirfd: bytes | None, path: bytes | None) -> bytes | None:
        text = parse_text(path)
        start = self._cwd(tid)
        if dirfd is not None:
            directory = parse_descriptor(dirfd)
            if directory and directory.path:
                start = directory.path
                if directory.number == AT_FDCWD:
                    self._cwds[tid] = start
        if text is None or text.cut:
            return None
        if not text.value:
            return start
        whole = text.value if text.value[:1] == b"/" else start + b"/" + text.value
        parent, name = os.path.split(whole.rstrip(b"/") or b"/")
        if name in (b".", b".."):
            return os.path.realpath(whole)
        return os.path.realpath(parent).rstrip(b"/") + b"/" + name

    def opened(self, tid: int | None, name: bytes, call: Call) -> None:
        dirfd, path, flags = (
            call.arguments[:3] if name.startswith(b"openat") else (None, *call.arguments[:2])
        )
        flags = b"O_WRONLY|O_CREAT|O_TRUNC" if name == b"creat" else flags or b""
        named = self._named(tid, dirfd, path)
        if call.error == b"ENOENT" and named:
            self._absent.add(named)
        if call.error or b"O_TMPFILE" in flags or b"O_PATH" in flags:
            return
        result = parse_descriptor(call.result + (call.result_annotation or b""))
        opened = result.path if result and result.path else named
        if opened is None:
            return
        if b"O_EXCL" in flags or (b"O_CREAT" in flags and {named, opened} & self._absent):
            self.story.created.add(opened)
        if b"O_WRONLY" in flags or b"O_RDWR" in flags or b"O_TRUNC" in flags:
            self.story.written.add(opened)
        self._absent -= {named, opened}

    def looked(self, tid: int | None, name: bytes, call: Call) -> None:
        at = name in (b"newfstatat", b"statx", b"faccessat", b"faccessat2", b"readlinkat")
        named = self._named(tid, *(call.arguments[:2] if at else (None, call.arguments[0])))
        if call.error == b"ENOENT" and named:
            self._absent.add(named)

    def made(self, tid: int | None, name: bytes, call: Call) -> None:
        first = 1 if name in (b"symlink", b"link") else 0
        at = {b"mkdirat": 0, b"mknodat": 0, b"symlinkat": 1, b"linkat": 2}.get(name)
        where = call.arguments[first : first + 1] if at is None else call.arguments[at : at + 2]
        named = self._named(tid, *((None, *where) if at is None else where))
        if named and not call.error:
            self.story.created.add(named)

    def bound(self, tid: int | None, _name: bytes, call: Call) -> None:
        address = call.arguments[1] or b""
        start = address.find(b'sun_path="')
        if start >= 0 and not call.error:
            named = self._named(tid, None, address[start + 9 : address.rindex(b'"') + 1])
            if named:
                self.story.created.add(named)

    def renamed(self, tid: int | None, name: bytes, call: Call) -> None:
        old, new = (
            ((None, call.arguments[0]), (None, call.arguments[1]))
            if name == b"rename"
            else (call.arguments[:2], call.arguments[2:4])
        )
        source, target = self._named(tid, *old), self._named(tid, *new)
        if source and target and not call.error:
            self.story.renamed.add((source, target))
            self._absent.discard(target)
            if b"RENAME_EXCHANGE" not in (call.arguments[4] or b""):
                self._absent.add(source)

    def deleted(self, tid: int | None, name: bytes, call: Call) -> None:
        named = self._named(
            tid, *(call.arguments[:2] if name == b"unlinkat" else (None, call.arguments[0]))
        )
        if named and not call.error:
            self.story.deleted.add(named)
            self._absent.add(named)

    def truncated(self, tid: int | None, name: bytes, call: Call) -> None:
        named = self._by_path_or_fd(tid, name, call)
        if named and not call.error:
            self.story.written.add(named)

    def attributed(self, tid: int | None, name: bytes, call: Call) -> None:
        named = self._by_path_or_fd(tid, name, call)
        if named and not call.error:
            self.story.attributed.add(named)

    def _by_path_or_fd(self, tid: int | None, name: bytes, call: Call) -> bytes | None:
        futimens = name == b"utimensat" and call.arguments[1] == b"NULL"
        if name.endswith((b"at", b"at2")) and not futimens:
            return self._named(tid, *call.arguments[:2])
        if name.startswith(b"f") or futimens:
            descriptor = parse_descriptor(call.arguments[0])
            return descriptor.path if descriptor and not descriptor.deleted else None
        return self._named(tid, None, call.arguments[0])

    def changed_directory(self, tid: int | None, name: bytes, call: Call) -> None:
        if call.error:
            return
        if name == b"fchdir":
            descriptor = parse_descriptor(call.arguments[0])
            named = descriptor.path if descriptor else None
        else:
            named = self._named(tid, None, call.arguments[0])
        if named:
            self._cwds[tid] = os.path.realpath(named)

    def cloned(self, tid: int | None, _name: bytes, call: Call) -> None:
        if not call.error and call.result.isdigit():
            self._cwds.setdefault(int(call.result), self._cwd(tid))


_Handler = Callable[[_Reader, int | None, bytes, Call], None]
_HANDLERS: dict[bytes, _Handler] = {
    name: handler
    for names, handler in (
        (b"open openat openat2 creat", _Reader.opened),
        (b"stat lstat newfstatat statx access faccessat faccessat2 readlink", _Reader.looked),
        (b"readlinkat", _Reader.looked),
        (b"mkdir mkdirat mknod mknodat symlink symlinkat link linkat", _Reader.made),
        (b"bind", _Reader.bound),
        (b"rename renameat renameat2", _Reader.renamed),
        (b"unlink unlinkat rmdir", _Reader.deleted),
        (b"truncate ftruncate", _Reader.truncated),
        (b"chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat", _Reader.attributed),
        (b"utime utimes utimensat futimesat setxattr lsetxattr fsetxattr", _Reader.attributed),
        (b"chdir fchdir", _Reader.changed_directory),
        (b"clone clone3 fork vfork", _Reader.cloned),
    )
    for name in names.split()
}
