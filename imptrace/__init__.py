"""Find out which paths a program must keep on an impermanent NixOS system, from evidence."""

import sys

# In a checkout imptrace/ lacks tracer, db and nix, which stand beside it. Python started there
# (python -m pytest, python -m benchmarks.overhead) finds this folder before the installed package:
# the missing parts are found in that. (pkgutil.extend_path does it too, and takes 20 ms.)
__path__.extend(f"{entry}/imptrace" for entry in sys.path if entry)
