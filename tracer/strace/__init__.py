"""Logs of strace, read as a recording."""
