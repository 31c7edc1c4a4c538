"""Tests start from the same signals, wherever they are run: in a terminal, by nohup, by cron."""

import signal

signal.pthread_sigmask(signal.SIG_SETMASK, set())
for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
