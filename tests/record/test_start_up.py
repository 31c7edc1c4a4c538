"""What a recording imports: of a short program, that is what it costs."""

import os
import subprocess
import sys
from pathlib import Path

# Each of them takes longer to import than the command needs of its own.
SLOW = {
    "alembic",
    "asyncio",
    "click",
    "concurrent",
    "email",
    "jinja2",
    "ptrace",
    "rich",
    "sqlalchemy",
    "ssl",
    "textual",
    "typer",
}


def test_a_run_imports_nothing_slow(tmp_path: Path) -> None:
    """Where the database is there: to make one takes SQLAlchemy."""
    environ = os.environ | {"IMPTRACE_DB": str(tmp_path / "runs.db")}
    code = (
        "import os, sys\n"
        "from imptrace.cli import main\n"
        "def told(code):\n"
        "    print(code, *{name.partition('.')[0] for name in sys.modules}, flush=True)\n"
        "    leave(code)\n"
        "leave, os._exit = os._exit, told\n"
        "sys.argv[1:] = ['run', 'true']\n"
        "main.main()\n"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environ, check=True, capture_output=True, text=True
        )
    code_of_run, *modules = done.stdout.split()
    assert code_of_run == "0"
    assert "imptrace" in modules
    assert SLOW.isdisjoint(modules)
