"""A recorded path passes through few kinds of records on its way to the Nix that keeps it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from imptrace.db import models

MOST = 40
ROOT = Path(__file__).parents[1]
COUNTER = Path(__file__).with_name("record_types.py")

# Writes, renames, reads back, links; a database, a cache, a secret, what the catalogue knows.
PROGRAM = """
cat ~/.bash_history; echo new >> ~/.bash_history
mkdir -p ~/.config/keeper/tokens ~/.local/share/keeper ~/.cache/keeper
echo a > ~/.config/keeper/settings.tmp; mv ~/.config/keeper/settings.tmp ~/.config/keeper/settings
echo more >> ~/.config/keeper/settings; ln -s settings ~/.config/keeper/link
printf 'SQLite format 3\\0' > ~/.local/share/keeper/data.sqlite
echo c > ~/.cache/keeper/c; (umask 077; echo password > ~/.config/keeper/tokens/token)
"""

# Records that tell nothing of a path: who ran, how it was asked for, what the catalogue is.
OF_PROCESSES = {
    "imptrace.db.records": {"ProcessRecord", "RunRecord", "RunStart", "Part"},
    "imptrace.db.liveness": {"RecorderIdentity"},
    "imptrace.evidence.machine": {"Elsewhere"},
    "imptrace.facts.people": {"Home"},
    "imptrace.judge.model": {"Subject", "User"},
    "imptrace.judge.names": {"Names"},
    "imptrace.record.launch": {"Begun"},
    "imptrace.record.session": {"RecordingRequest", "RecordingResult"},
    "imptrace.tracer.events": {
        *("AllGone", "Lost", "Mount", "MountNamed", "ProcessExited", "ProcessStarted"),
        *("ProgramEnded", "Unseen", "Warned"),
    },
    "imptrace.tracer.program": {"Account", "Program", "RunSubject"},
    "imptrace.tracer.recorder": {"RecorderInfo", "RecorderOptions"},
}
OF_THE_COMMAND_LINE = {
    "imptrace.cli.commands": {"Listed"},
    "imptrace.cli.run_line": {"_RunLine"},
    "imptrace.cli.wish": {"Wish"},
    "imptrace.cli.work.recommend": {"RecommendOptions"},
}
OF_THE_CATALOGUE = {
    "imptrace.catalogue.catalogue": {"Catalogue", "Source"},
    "imptrace.catalogue.model": {"Entry", "Follows", "KeptPath", "NeverPath"},
}
OTHERS = {
    f"{module}.{name}"
    for group in (OF_PROCESSES, OF_THE_COMMAND_LINE, OF_THE_CATALOGUE)
    for module, names in group.items()
    for name in names
}
TABLES = (models.PathTable, models.AccessTable, models.FileStateTable)

# Structs of the headers of tracer/native that tell nothing of a path: processes, mounts, what is
# counted, the ring itself, options; and `holding`, which only an attached process has.
OTHER_STRUCTS = {
    *("process_record", "process_texts", "exit_record"),
    *("mount", "mount_table", "name_record"),
    *("lost_record", "count_record"),
    *("ring", "record", "recording"),
    *("start", "witness"),
    *("filter_options", "observe_options"),
    "holding",
}


def structs() -> set[str]:
    """Name the structs of C that a path passes through, or facts about it."""
    headers = (ROOT / "tracer" / "native").glob("*.h")
    named = re.compile(r"^struct (\w+) \{", re.MULTILINE)
    found = {name for header in headers for name in named.findall(header.read_text())}
    assert found > OTHER_STRUCTS
    # What the journal holds of an access until a repeat of it comes.
    return (found - OTHER_STRUCTS) | {"entry"}


def test_a_path_passes_through_few_kinds_of_records(tmp_path: Path) -> None:
    """Recorded and recommended for real: what is neither of C, of Python nor a table is none."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".bash_history").write_text("old\n")
    answer = tmp_path / "answer"
    commands = [
        ["run", "-q", "--recorder", "notify", "bash", "-c", PROGRAM],
        ["recommend", "latest", "--format", "nix"],
    ]
    done = subprocess.run(
        [sys.executable, COUNTER, answer, *map(json.dumps, commands)],
        env={**os.environ, "HOME": str(home), "IMPTRACE_DB": str(tmp_path / "db")},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "keeper" in done.stdout
    found = set(json.loads(answer.read_text()))
    assert {"imptrace.tracer.events.Access", "imptrace.judge.model.Recommendation"} < found
    in_python = sorted(found - OTHERS)
    counted = [*in_python, *(each.__name__ for each in TABLES), *sorted(structs())]
    assert len(counted) <= MOST, (len(counted), counted)
