"""The codes of reasons: stable names, put into words by `imptrace.render.reasons`."""

from enum import StrEnum


class Code(StrEnum):
    """Why something was decided. The comment names the figures that come with it."""

    VIRTUAL = "virtual"  # fstype
    STORE = "store"
    DECLARATIVE = "declarative"  # target
    RUNTIME = "runtime"  # place
    TEMPORARY_PLACE = "temporary-place"  # place
    TEMPORARY_NAME = "temporary-name"  # name
    MOVED = "moved"  # to
    PERSISTENT_MOUNT = "persistent-mount"  # mountpoint, fstype
    LOCK = "lock"  # name
    SOCKET = "socket"
    DEVICE = "device"
    READ_ONLY = "read-only"
    UNCHANGED = "unchanged"
    METADATA_ONLY = "metadata-only"
    VANISHED = "vanished"
    EMPTY_DIRECTORY = "empty-directory"
    PACKAGE = "package"  # place
    NEVER = "never"  # entry, why, note
    PRIVATE_MOUNT = "private-mount"

    CREATED = "created"  # runs
    MODIFIED = "modified"  # runs
    READ_BACK = "read-back"  # runs
    EXPECTED = "expected"  # runs; read first and opened for a change that did not come
    NEVER_READ_BACK = "never-read-back"  # runs

    ASKED_FOR = "asked-for"
    CATALOGUED = "catalogued"  # entry, path
    COUNTED = "counted"  # repos, of
    NOTE = "note"  # text
    ELSEWHERE = "elsewhere"  # path
    SEEN_ELSEWHERE = "seen-elsewhere"  # path
    UNIT_DECLARES = "unit-declares"  # property
    NAMED = "named"  # component, name
    SERVICE_HOME = "service-home"  # user
    MADE_BY = "made-by"
    SOLE_USER = "sole-user"
    DOCUMENT = "document"
    COMMON = "common"  # what
    OTHERS_CHANGE = "others-change"  # programs
    OTHERS_READ = "others-read"  # programs

    PLACE = "place"  # area, container
    CONTENT = "content"  # hint, path
    SECRET_WORD = "secret-word"  # noqa: S105 (a word of ours) # word, path
    DATABASE_WORD = "database-word"  # word, path
    USER_DATA_WORD = "user-data-word"  # word, path
    CACHE_WORD = "cache-word"  # word
    HISTORY_WORD = "history-word"  # path
    CACHE_TAG = "cache-tag"  # path
    REMEMBERS = "remembers"  # word, path
    BACKUP_NAME = "backup-name"  # name
    HOLDS_SECRET = "holds-secret"  # noqa: S105 (a word of ours) # path

    REPLACED_BY_RENAME = "replaced-by-rename"  # path, origin, files
    REPLACED_BY_LINK = "replaced-by-link"  # path
    RECREATED = "recreated"  # path
    ONLY_WHEN_ABSENT = "only-when-absent"  # path
    SYMLINK_REPLACED = "symlink-replaced"  # path
    LINK_STANDS = "link-stands"  # path, target
    DIRECTORY_REPLACED = "directory-replaced"  # path, origin
    NO_ENTRY_WORKS = "no-entry-works"  # path, directory
    LONE_DATABASE = "lone-database"  # path, directory
    DATABASE_BESIDE = "database-beside"  # path, directory
    DOCUMENT_REPLACED = "document-replaced"  # path
    MIXED_DIRECTORY = "mixed-directory"  # directory
    DYNAMIC_USER = "dynamic-user"  # public
    EARLY_BOOT = "early-boot"

    LOST = "lost"  # count
    UNSEEN = "unseen"  # count
    WARNED = "warned"  # warning
    UNFINISHED = "unfinished"  # runs
    NOTHING_RECORDED = "nothing-recorded"
    NOTHING_KEPT = "nothing-kept"
    ALL_PERSISTENT = "all-persistent"
    DECLARED_MORE = "declared-more"  # count, entry
    INSTANCE_UNSEEN = "instance-unseen"  # path, each
