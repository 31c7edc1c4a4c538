"""In a fresh clone, before anything is built, everything but what calls C can be imported."""

import json
import subprocess
import sys

CALLS_C = {
    "imptrace.tracer.asked.recorder",
    "imptrace.tracer.notify.recorder",
    "imptrace.tracer.ptrace.loop",
    "imptrace.tracer.ptrace.recorder",
}
"""Loaded by the registry when a recorder is chosen."""
_IMPORT_ALL = """
import importlib, json, pkgutil, sys
import imptrace

class Unbuilt:
    def find_spec(self, name, path=None, target=None):
        if name.rpartition(".")[0] == "imptrace.tracer" and name.rpartition(".")[2][0] == "_":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Unbuilt())
failed = []
for module in pkgutil.walk_packages(imptrace.__path__, "imptrace."):
    if "migrations" in module.name or module.name.rpartition(".")[2].startswith("_"):
        continue
    try:
        importlib.import_module(module.name)
    except ImportError:
        failed.append(module.name)
print(json.dumps(failed))
"""


def test_only_what_calls_c_needs_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL], capture_output=True, text=True, check=True
    )
    assert set(json.loads(done.stdout)) == CALLS_C
