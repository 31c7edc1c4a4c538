"""Recording by seccomp user notification: launches programs, needs no privilege."""
