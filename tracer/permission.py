"""What this process may trace: privilege, and the setting of the Yama security module."""

import os

_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"


def yama_scope() -> int:
    """Return kernel.yama.ptrace_scope; 0, which restricts nothing, where Yama is not there."""
    try:
        with open(_SCOPE, encoding="ascii") as scope:
            return int(scope.read())
    except (OSError, ValueError):
        return 0


def is_privileged() -> bool:
    """Whether this is root, whom neither other users nor setuid programs stop."""
    return os.geteuid() == 0


def should_adopt_orphans() -> bool:
    """Whether daemons could not be read any more once they left the recorder's family."""
    return yama_scope() != 0 and not is_privileged()


def yama_refusal() -> str | None:
    """Say why Yama lets this process attach to nothing, and the way out; None if it does not."""
    scope = yama_scope()
    if scope == 0 or (is_privileged() and scope < 3):  # noqa: PLR2004 (3: nobody, until a reboot)
        return None
    if scope >= 3:  # noqa: PLR2004 (the same)
        return (
            "kernel.yama.ptrace_scope is 3: nobody may attach until the machine starts with a "
            "lower one; imptrace run works"
        )
    return (
        f"kernel.yama.ptrace_scope is {scope}: an ordinary user may not attach to what runs "
        "already; use sudo, or imptrace run, or let root set it to 0 "
        '(NixOS: boot.kernel.sysctl."kernel.yama.ptrace_scope" = 0)'
    )
