"""Tests start from the same signals, wherever they are run: in a terminal, by nohup, by cron."""

import signal
from importlib.util import find_spec

if find_spec("imptrace.tracer._native") is None:
    # Nothing of C was built: all but these can be imported, and what calls none of it runs.
    collect_ignore = [
        "record/service/test_shim.py",
        "record/test_following.py",
        "kept/test_walk.py",
        "tracer/test_snapshot.py",
        "tracer/test_tables.py",
    ]

signal.pthread_sigmask(signal.SIG_SETMASK, set())
for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
