"""Types of file systems, by what becomes of what lies on them (filesystems(5))."""

IN_MEMORY_TYPES = frozenset({"tmpfs", "ramfs", "rootfs"})
"""Gone with the machine's memory."""
EPHEMERAL_TYPES = IN_MEMORY_TYPES | {"overlay"}
"""The same, as far as the type tells: the upper layer of an overlay mostly lies in memory."""
VIRTUAL_TYPES = frozenset(
    {
        "proc",
        "sysfs",
        "devtmpfs",
        "devpts",
        "cgroup",
        "cgroup2",
        "securityfs",
        "debugfs",
        "tracefs",
        "configfs",
        "pstore",
        "bpf",
        "mqueue",
        "hugetlbfs",
        "efivarfs",
        "fusectl",
        "binfmt_misc",
        "nsfs",
        "rpc_pipefs",
        "selinuxfs",
    }
)
"""Made up by the kernel: there are no files to keep."""
