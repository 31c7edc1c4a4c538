"""The systemd unit in a cgroup's path."""

_KINDS = (b".service", b".scope")


def unit_of(cgroup: bytes) -> str | None:
    """Find the innermost service or scope of a cgroup path, None outside of any.

    >>> unit_of(b"/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-42.scope")
    'app-firefox-42.scope'
    """
    for part in reversed(cgroup.split(b"/")):
        if part.endswith(_KINDS):
            return part.decode(errors="backslashreplace")
    return None
