"""Find out which paths a program must keep on an impermanent NixOS system, from evidence."""

from pkgutil import extend_path

# In a checkout imptrace/ lacks tracer, db and nix, which stand beside it. Python started there
# (python -m pytest, python -m benchmarks.overhead) finds this folder before the installed package:
# the missing parts are found in that.
__path__ = extend_path(__path__, __name__)
