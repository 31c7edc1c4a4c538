"""Who is named for what a recorded program changed."""

import os
import sys
from pathlib import Path

import forked

from imptrace.db.changers import changers, last_use
from imptrace.db.engine import reading


def test_a_script_is_named_and_not_its_interpreter(tmp_path: Path) -> None:
    database, state = tmp_path / "x.db", tmp_path / "state"
    script = tmp_path / "keeper"
    script.write_text(f"#!{sys.executable}\nopen({str(state)!r}, 'w').write('x')\n")
    script.chmod(0o755)
    environment = {**os.environ, "IMPTRACE_DB": str(database)}
    for command in ([str(script)], [sys.executable, "-O", str(script)]):
        done = forked.run_text("run", "-q", "--", *command, env=environment)
        assert done.returncode == 0, done.stderr
    with reading(str(database)) as engine:
        assert [each.program for each in changers(engine, os.fsencode(state))] == [b"keeper"]
        used = last_use(engine, os.fsencode(state))
    assert used is not None
    assert used.program == b"keeper"
