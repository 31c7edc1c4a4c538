"""Find out which paths a program must keep on an impermanent NixOS system, from evidence."""

import os
import signal
import sys

if (
    os.path.basename(sys.argv[0] if sys.argv else "") == "imptrace"
    and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
):
    # Started as the command: Ctrl-C while Python still imports leaves without a traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

# In a checkout imptrace/ lacks tracer, db and nix, which stand beside it. Python started there
# (python -m pytest, python -m benchmarks.overhead) finds this folder before the installed package:
# the missing parts are found in that. (pkgutil.extend_path does it too, and takes 20 ms.)
__path__.extend(f"{entry}/imptrace" for entry in sys.path if entry)
