"""A unit's sandbox is widened where the shim needs it, and nowhere else."""

import pytest

from imptrace.record.service.sandbox import Allowance, allowance

ALL_CAPABILITIES = "cap_chown cap_setpcap cap_sys_admin"


def allowed(version: int = 252, *, user_manager: bool = False, **properties: str) -> Allowance:
    """Answer with what a unit with these properties gets."""
    return allowance(
        {"CapabilityBoundingSet": ALL_CAPABILITIES, **properties},
        shim="/run/imptrace/shim",
        runtime="/run/imptrace",
        version=version,
        user_manager=user_manager,
    )


def directives(allowance: Allowance) -> list[str]:
    """Answer with the lines alone."""
    return [each.directive for each in allowance.adjustments]


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"User": "root"},
        {"User": "alice", "NoNewPrivileges": "yes"},
        {"DynamicUser": "yes", "User": "dynamic"},
        {"PrivateTmp": "yes", "ProtectSystem": "strict", "ProtectHome": "yes"},
        {"RestrictAddressFamilies": "AF_INET AF_UNIX"},
        {"RestrictAddressFamilies": "~AF_NETLINK"},
        {"SystemCallFilter": "~mount umount2"},
    ],
)
def test_nothing_changes_where_nothing_is_in_the_way(properties: dict[str, str]) -> None:
    """No line is better than a line that does nothing."""
    assert allowed(**properties) == Allowance()


def test_an_ordinary_user_is_lent_one_capability() -> None:
    """And gives it back from all sets but the bounding set, where it was before."""
    found = allowed(User="alice")
    assert directives(found) == ["AmbientCapabilities=CAP_SYS_ADMIN"]
    assert (found.drop_bounding, found.drop_ambient) == (0, 1 << 21)


def test_a_bounding_set_is_narrowed_again() -> None:
    """That takes CAP_SETPCAP, which is given back too."""
    found = allowed(CapabilityBoundingSet="cap_net_admin")
    assert directives(found) == ["CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SETPCAP"]
    assert (found.drop_bounding, found.drop_ambient) == (1 << 21 | 1 << 8, 0)


def test_what_a_unit_has_is_not_taken_from_it() -> None:
    """Capabilities that it has anyway are neither lent nor dropped."""
    found = allowed(
        User="alice",
        CapabilityBoundingSet="cap_setpcap",
        AmbientCapabilities="cap_setpcap",
    )
    assert directives(found) == [
        "CapabilityBoundingSet=CAP_SYS_ADMIN",
        "AmbientCapabilities=CAP_SYS_ADMIN",
    ]
    assert (found.drop_bounding, found.drop_ambient) == (1 << 21, 1 << 21)


@pytest.mark.parametrize(("version", "lent"), [(252, 0), (257, 1 << 21)])
def test_filters_imply_no_new_privileges_in_old_versions(version: int, lent: int) -> None:
    """There the shim needs no capability, and giving one would take no_new_privs away."""
    assert allowed(version, User="alice", LockPersonality="yes").drop_ambient == lent


def test_a_user_manager_has_nothing_to_lend() -> None:
    """What no_new_privs changes is told."""
    found = allowed(user_manager=True)
    assert found.adjustments == ()
    assert "no_new_privs" in found.notes[0]


@pytest.mark.parametrize(
    ("listed", "added"),
    [
        ("~seccomp mount", "seccomp"),
        ("~sendmsg:EPERM ppoll", "ppoll sendmsg"),
        (
            "clone close close_range connect execve exit_group ioctl ppoll prctl recvfrom write",
            "seccomp sendmsg socket",
        ),
    ],
)
def test_syscalls_that_the_filter_lacks(listed: str, added: str) -> None:
    """Both lists of what is allowed and lists of what is not."""
    assert directives(allowed(SystemCallFilter=listed)) == [f"SystemCallFilter={added}"]


@pytest.mark.parametrize("families", ["", "AF_INET AF_INET6", "~AF_UNIX"])
def test_unix_sockets_are_allowed(families: str) -> None:
    """An empty value is what systemd shows for `none`."""
    assert directives(allowed(RestrictAddressFamilies=families)) == [
        "RestrictAddressFamilies=AF_UNIX"
    ]


@pytest.mark.parametrize(
    "properties",
    [
        {"RootDirectory": "/srv/root"},
        {"RootImage": "/srv/root.raw"},
        {"TemporaryFileSystem": "/run:ro,mode=0755"},
        {"InaccessiblePaths": "-/run/imptrace"},
        {"BindPaths": "/srv/run:/run:rbind"},
    ],
)
def test_a_hidden_shim_is_bound(properties: dict[str, str]) -> None:
    """Where the unit sees another /run."""
    assert directives(allowed(**properties)) == ["BindReadOnlyPaths=/run/imptrace"]


def test_execution_is_allowed_where_paths_forbid_it() -> None:
    """NoExecPaths=/ with a few exceptions."""
    assert directives(allowed(NoExecPaths="/")) == ["ExecPaths=/run/imptrace/shim"]
