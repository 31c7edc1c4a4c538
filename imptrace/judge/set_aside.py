"""What cannot or need not persist, whatever the program."""

from collections.abc import Callable, Iterable

from imptrace.facts.file_systems import EPHEMERAL_TYPES, VIRTUAL_TYPES
from imptrace.facts.paths import STORE, is_within, name_of, parent_of, parents_of
from imptrace.judge.codes import Code
from imptrace.judge.model import Reason, Why
from imptrace.judge.path_facts import PathFacts
from imptrace.judge.places import Places
from imptrace.judge.words import LEFTOVERS, LOCK, STREAM, TEMPORARY, words_of
from imptrace.tracer.events import CHANGES, AccessFlag, FileType, Mount

Exclusion = tuple[Why, Reason]

_VIRTUAL_TOPS = (b"/proc", b"/sys", b"/dev")
_RUNTIME_TOPS = (b"/run", b"/var/run", b"/var/lock")
_TEMPORARY_TOPS = (b"/tmp", b"/var/tmp", b"/dev/shm")
_PACKAGE_TOPS = tuple(
    b"/" + top for top in b"usr bin sbin lib lib32 lib64 libx32 boot efi nix".split()
)
_STATIC = b"/etc/static"
_TOPS = (*_VIRTUAL_TOPS, *_RUNTIME_TOPS, *_TEMPORARY_TOPS, *_PACKAGE_TOPS, STORE, _STATIC)
_MANAGED = frozenset({b"/etc/localtime", b"/etc/mtab", b"/etc/ld.so.cache", b"/etc/resolv.conf"})


class Mounts:
    """The mount table of the newest run: which mount a path lies on."""

    def __init__(self, mounts: Iterable[Mount]) -> None:
        # Of several mounts on one point the last is on top.
        self._by_point = {mount.mountpoint: mount for mount in mounts}

    @property
    def points(self) -> Iterable[bytes]:
        """Where something is mounted."""
        return self._by_point.keys()

    def is_of_root(self, mount: Mount) -> bool:
        """Whether a mount shows a part of the root's own file system, and is wiped with it.

        A directory that is bound onto itself is one; a subvolume beside the root's is none.
        """
        root = self._by_point.get(b"/")
        if root is None or mount is root:
            return mount is root
        return mount.device == root.device and is_within(mount.root, root.root)

    def of(self, path: bytes) -> Mount | None:
        """The mount that holds `path`; None where the table is not known."""
        points = (path, *parents_of(path), b"/")
        return next((self._by_point[each] for each in points if each in self._by_point), None)


class PlaceExclusions:
    """`by_place` for thousands of paths: what holds for a directory holds for all in it."""

    def __init__(self, places: Places, mounts: Mounts) -> None:
        self.places = places
        self.mounts = mounts
        self._of_directory: dict[bytes, Exclusion | None] = {}
        # Where a exclusion may begin: everything else is as the directory that it lies in.
        self._beginnings = {*_MANAGED, *_TOPS, *places.runtime, *mounts.points}

    def begins_at(self, path: bytes) -> bool:
        """Whether another exclusion may hold for a path than for the others in its directory."""
        return path in self._beginnings

    def of(self, path: bytes) -> Exclusion | None:
        """The exclusion on one path."""
        directory = parent_of(path)
        if directory not in self._of_directory:
            self._of_directory[directory] = by_place(directory, self)
        exclusion = self._of_directory[directory]
        if exclusion is None and path in self._beginnings:
            return by_place(path, self)
        return exclusion


def by_place(path: bytes, around: PlaceExclusions) -> Exclusion | None:
    """Set a path aside for where it lies; None if something there could be state."""
    for rule in _PLACE_RULES:
        exclusion = rule(path, around)
        if exclusion is not None:
            return exclusion
    return None


def by_facts(path: bytes, facts: PathFacts) -> Exclusion | None:
    """Set a path aside for its name, for what it is and for what happened to it."""
    for rule in _FACT_RULES:
        exclusion = rule(path, facts)
        if exclusion is not None:
            return exclusion
    return None


def store(path: bytes, _around: PlaceExclusions) -> Exclusion | None:
    """`/nix/store/...`: rebuilt from the configuration."""
    return (Why.STORE, Reason(code=Code.STORE)) if is_within(path, STORE) else None


def declarative(path: bytes, _around: PlaceExclusions) -> Exclusion | None:
    """`/etc/static`, `/etc/localtime`: NixOS makes them from the configuration."""
    if is_within(path, _STATIC) or path in _MANAGED:
        return Why.DECLARATIVE, Reason(code=Code.DECLARATIVE)
    return None


def runtime(path: bytes, around: PlaceExclusions) -> Exclusion | None:
    """`/run`, `$XDG_RUNTIME_DIR`: gone at reboot by design."""
    top = _top_of(path, (*_RUNTIME_TOPS, *around.places.runtime))
    if top is None:
        return None
    return Why.RUNTIME, Reason(code=Code.RUNTIME, figures={"place": top})


def temporary_place(path: bytes, around: PlaceExclusions) -> Exclusion | None:
    """`/tmp`, unless the traced user's home was put there."""
    top = _top_of(path, _TEMPORARY_TOPS)
    if top is None or around.places.home_of(path) is not None:
        return None
    return Why.TEMPORARY, Reason(code=Code.TEMPORARY_PLACE, figures={"place": top})


def virtual(path: bytes, around: PlaceExclusions) -> Exclusion | None:
    """`/proc`, and every mount whose files the kernel makes up."""
    mount = around.mounts.of(path)
    if mount is not None and mount.fstype in VIRTUAL_TYPES:
        return Why.VIRTUAL, Reason(code=Code.VIRTUAL, figures={"fstype": mount.fstype})
    top = _top_of(path, _VIRTUAL_TOPS)
    if top is None:
        return None
    return Why.VIRTUAL, Reason(code=Code.VIRTUAL, figures={"fstype": top})


def package(path: bytes, _around: PlaceExclusions) -> Exclusion | None:
    """`/usr`, `/lib`: programs and their data, which come from packages."""
    top = _top_of(path, _PACKAGE_TOPS)
    if top is None:
        return None
    return Why.PACKAGE, Reason(code=Code.PACKAGE, figures={"place": top})


def persistent_mount(path: bytes, around: PlaceExclusions) -> Exclusion | None:
    """A path on a mount of its own that no reboot wipes."""
    mount = around.mounts.of(path)
    if mount is None or around.mounts.is_of_root(mount) or mount.fstype in EPHEMERAL_TYPES:
        return None
    return Why.PERSISTENT, Reason(
        code=Code.PERSISTENT_MOUNT,
        figures={"mountpoint": mount.mountpoint, "fstype": mount.fstype},
    )


def private_mount(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """A path on a mount that the host does not have."""
    if AccessFlag.PRIVATE_MOUNT not in facts.flags:
        return None
    return Why.PRIVATE_MOUNT, Reason(code=Code.PRIVATE_MOUNT)


def moved_away(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """A temporary name whose file was renamed to another: that one is judged."""
    if facts.is_there or facts.moved_to is None:
        return None
    return Why.TEMPORARY, Reason(code=Code.MOVED, figures={"to": facts.moved_to})


def vanished(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """Nothing is left to keep."""
    return None if facts.is_there else (Why.VANISHED, Reason(code=Code.VANISHED))


def socket(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """Sockets and fifos are made anew by whoever listens."""
    if facts.type in (FileType.SOCKET, FileType.FIFO):
        return Why.SOCKET, Reason(code=Code.SOCKET)
    return None


def device(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """Device nodes belong to the kernel and udev."""
    if facts.type in (FileType.CHAR_DEVICE, FileType.BLOCK_DEVICE):
        return Why.DEVICE, Reason(code=Code.DEVICE)
    return None


def store_link(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """A link into the store is made by whoever manages the system or the home."""
    if facts.link is None or _top_of(facts.link, (STORE, _STATIC)) is None:
        return None
    return Why.STORE, Reason(code=Code.DECLARATIVE, figures={"target": facts.link})


def lock(path: bytes, facts: PathFacts) -> Exclusion | None:
    """Lock and pid files: a stale one can keep the program from starting."""
    name = name_of(path)
    is_small = facts.is_small or facts.type is FileType.SYMLINK
    if facts.is_directory or not words_of(name) & LOCK or not is_small:
        return None
    return Why.LOCK, Reason(code=Code.LOCK, figures={"name": name})


def temporary_name(path: bytes, facts: PathFacts) -> Exclusion | None:
    """A left-over of replacing a file: `x.tmp`, `.goutputstream-ABC123`, an editor's swap file."""
    name = name_of(path)
    ending = name.rpartition(b".")[2] if b"." in name else b""
    is_temporary = bool(words_of(ending) & TEMPORARY) or STREAM in name
    if facts.is_directory or facts.read_first or not is_temporary:
        return None
    return Why.TEMPORARY, Reason(code=Code.TEMPORARY_NAME, figures={"name": name})


def leftover(path: bytes, facts: PathFacts) -> Exclusion | None:
    """What was deleted while it was open (NFS, FUSE), and the memory of a crash."""
    name = name_of(path)
    if facts.is_directory or not LEFTOVERS.fullmatch(name):
        return None
    return Why.TEMPORARY, Reason(code=Code.TEMPORARY_NAME, figures={"name": name})


def metadata_only(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """Only mode, owner or times were changed."""
    if facts.only_metadata and not facts.created and not facts.read_first:
        return Why.UNCHANGED, Reason(code=Code.METADATA_ONLY)
    return None


def unchanged(_path: bytes, facts: PathFacts) -> Exclusion | None:
    """Opened for a change that did not happen, or was refused: no sign of state.

    What was read first, and then opened for writing, is one.
    """
    if facts.was_changed or (facts.read_first and not CHANGES.isdisjoint(facts.ops)):
        return None
    return Why.UNCHANGED, Reason(code=Code.UNCHANGED)


def _top_of(path: bytes, tops: Iterable[bytes]) -> bytes | None:
    return next((top for top in tops if is_within(path, top)), None)


_PLACE_RULES: tuple[Callable[[bytes, PlaceExclusions], Exclusion | None], ...] = (
    store,
    declarative,
    runtime,
    temporary_place,
    virtual,
    package,
    persistent_mount,
)

_FACT_RULES: tuple[Callable[[bytes, PathFacts], Exclusion | None], ...] = (
    private_mount,
    moved_away,
    vanished,
    socket,
    device,
    store_link,
    lock,
    temporary_name,
    leftover,
    metadata_only,
    unchanged,
)
