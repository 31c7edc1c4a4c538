"""Well-known files and directories that belong to everybody, so that no program may claim them.

Conventions of the system, of freedesktop.org and of libraries that many programs load.
"""

from imptrace.facts.paths import is_within, relative_to
from imptrace.facts.people import Home


def _paths(text: str) -> tuple[bytes, ...]:
    return tuple(text.encode().split())


_SYSTEM = _paths(
    """
    /etc/passwd /etc/passwd- /etc/shadow /etc/shadow- /etc/group /etc/group- /etc/gshadow
    /etc/gshadow- /etc/subuid /etc/subuid- /etc/subgid /etc/subgid- /etc/hostname /etc/hosts
    /etc/fstab /etc/timezone /etc/adjtime /etc/aliases /etc/aliases.db /etc/.pwd.lock
    /etc/ssl /etc/pki /etc/alternatives /etc/profile.d /var/log/wtmp /var/log/btmp
    /var/log/lastlog /var/log/faillog /var/log/tallylog /var/log/syslog /var/log/messages
    /var/log/auth.log /var/log/kern.log /var/log/daemon.log /var/log/user.log
    /var/log/mail.log /var/log/debug /var/mail /var/spool/mail /var/spool/cron /var/lib/dbus
    /var/cache/fontconfig
    """
)

_HOME = _paths(
    """
    .config/mimeapps.list .config/user-dirs.dirs .config/user-dirs.locale .config/gtk-2.0
    .config/gtk-3.0 .config/gtk-4.0 .config/autostart .config/systemd .config/environment.d
    .config/fontconfig .config/menus .config/QtProject.conf .config/Trolltech.conf
    .config/kdeglobals .config/glib-2.0 .local/share/recently-used.xbel
    .local/share/user-places.xbel .local/share/applications .local/share/icons
    .local/share/mime .local/share/fonts .local/share/themes .local/share/Trash
    .local/share/desktop-directories .local/share/sounds .local/share/RecentDocuments
    .local/bin .local/lib .cache/dconf .cache/nv .cache/gstreamer-1.0
    .cache/radv_builtin_shaders64 .cache/qtshadercache .cache/event-sound-cache.tdb .nv
    .Xauthority .ICEauthority .Xresources .xsession-errors .dbus .gtkrc-2.0 .gtk-bookmarks
    .recently-used .icons .themes .fonts .thumbnails .pulse-cookie .esd_auth .profile
    .mailcap .mime.types .face Desktop Documents Downloads Music Pictures Public Templates
    Videos
    """
)
"""Relative to the home directory."""

_SYSTEM_OF_ONE = _paths(
    """
    /etc/machine-id /var/lib/nixos /var/log/journal
    """
)

_HOME_OF_ONE = _paths(
    """
    .config/dconf .cache/fontconfig .local/share/keyrings .local/share/gvfs-metadata
    .config/ibus .cache/mesa_shader_cache .cache/mesa_shader_cache_db .netrc .pki
    .cache/nvidia .config/pulse .cache/thumbnails
    """
)
"""Of one library or service that many load or ask: only its own entry may keep them."""

EVERYBODYS = frozenset((*_SYSTEM, *_HOME))
"""What no entry of the catalogue may call its own."""


def common_name(path: bytes, home: Home | None) -> bytes | None:
    """The well-known file or directory that `path` is or lies in."""
    of_system = (*_SYSTEM, *_SYSTEM_OF_ONE)
    found = next((each for each in of_system if is_within(path, each)), None)
    if found is not None or home is None:
        return found
    below = relative_to(path, home.path)
    return next((each for each in (*_HOME, *_HOME_OF_ONE) if is_within(below, each)), None)
