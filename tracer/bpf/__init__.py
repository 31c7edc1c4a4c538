"""The bpf recorder: programs in the kernel that see every process, and make none of them wait."""
