"""The commit message follows the log of its repository and says what was seen."""

from dataclasses import replace

import pytest
from sample_repositories import kept, proposal

from imptrace.contribute.message import compose, subject_line
from imptrace.contribute.proposal import Change
from imptrace.evidence.provenance import Provenance
from imptrace.facts.levels import Kind, Level
from imptrace.kept.compare import Declared, Difference, Observed, Status

SCOPED = ("sudo: persistence", "readme: fix typo", "Merge things", "bluetooth: persistence")
CONVENTIONAL = ("feat(x): add y", "fix: z", "chore: w")
SENTENCES = ("Lay out the distribution", "Read the catalogue", "Add: more")

PROVENANCE = Provenance(
    programs=("NetworkManager 1.42.4",),
    system="NixOS 24.11 (Vicuna)",
    recorders=("notify",),
    runs=2,
    imptrace="0.1.0",
)
PATHS = (
    kept("/var/lib/NetworkManager", Level.TRANSIENT, reason="read back in 1 run"),
    kept("/etc/NetworkManager/system-connections", Level.SECRET, reason="others may not read it"),
)
WANTED = proposal("networkmanager", "networking.networkmanager", *PATHS)
NEW = Change(files=(), is_new=True, added=PATHS)
MORE = replace(NEW, is_new=False)
ONE = replace(MORE, added=PATHS[:1])
ENTERED = replace(MORE, added=())


@pytest.mark.parametrize(
    ("change", "subjects", "expected"),
    [
        (NEW, SCOPED, "networkmanager: persistence"),
        (MORE, SCOPED, "networkmanager: persist 2 more paths"),
        (ONE, SCOPED, "networkmanager: persist /var/lib/NetworkManager"),
        (ENTERED, SCOPED, "networkmanager: enter the module"),
        (NEW, CONVENTIONAL, "feat(networkmanager): persistence"),
        (NEW, SENTENCES, "Describe what Networkmanager keeps"),
        (ONE, SENTENCES, "Persist /var/lib/NetworkManager of Networkmanager"),
        (MORE, (), "Persist 2 more paths of Networkmanager"),
    ],
)
def test_the_subject_follows_the_log(
    change: Change, subjects: tuple[str, ...], expected: str
) -> None:
    """Scope and colon, conventional commits, or a sentence."""
    assert subject_line(WANTED, change, subjects) == expected


def test_a_subject_stays_short() -> None:
    """A long path is counted rather than named."""
    long = replace(ONE, added=(kept("/var/lib/" + "x" * 80),))
    assert subject_line(WANTED, long, SCOPED) == "networkmanager: persist one more path"


def test_the_whole_message() -> None:
    """Where it was seen, then the paths of each level, lowest first."""
    assert compose(WANTED, NEW, PROVENANCE, SCOPED) == (
        """\
networkmanager: persistence

Observed: NetworkManager 1.42.4 on NixOS 24.11 (Vicuna), 2 runs
(recorder notify, imptrace 0.1.0).

transient:
- /var/lib/NetworkManager (directory): read back in 1 run

secret:
- /etc/NetworkManager/system-connections (directory): others may not
  read it
"""
    )


def test_what_stays_and_what_differs_is_mentioned() -> None:
    """So that the reviewer can judge what was not changed."""
    there = Declared(path=b"/var/lib/old", kind=Kind.DIRECTORY, level=Level.NORMAL)
    seen = Observed(path=b"/var/lib/old", kind=Kind.DIRECTORY, level=Level.SECRET)
    difference = Difference(status=Status.LEVEL, path=there.path, declared=there, observed=seen)
    change = replace(ONE, unobserved=(there,), other_levels=(difference,))
    message = compose(WANTED, change, replace(PROVENANCE, runs=1, system=None, lost=3), SCOPED)
    assert "Kept as before, not observed in these runs:\n- /var/lib/old (normal)\n" in message
    assert "another level:\n- /var/lib/old (normal): observed as secret\n" in message
    assert "NetworkManager 1.42.4, 1 run (recorder" in message
    assert "3 events" in message
