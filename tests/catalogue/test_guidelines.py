"""Each rule of docs/guidelines.md finds its breach, and the shipped catalogue has none."""

import re
from pathlib import Path

import pytest

from imptrace.catalogue import shipped
from imptrace.catalogue.checking import check
from imptrace.catalogue.unsourced import UNSOURCED

KNOWN = 'known = "document: exampled(8)"\n'
TITLE = 'title = "Example"\nprograms = ["exampled"]\n' + KNOWN
REPOSITORY = Path(__file__).parents[2]


def kept(path: str, *keys: str, table: str = "persist", level: str = "normal") -> str:
    return "\n".join((f"[[{table}]]", f'path = "{path}"', f'level = "{level}"', *keys, ""))


BREACHES = [
    ("own-place", 5, TITLE + kept("/var/lib/other")),
    ("shared-place", 5, TITLE + kept("/var/lib/misc", 'note = "leases"')),
    ("too-wide", 5, TITLE + kept("/etc/ssh", "repos = 25")),
    ("regenerable", 5, TITLE + kept("/var/cache/example")),
    ("regenerable", 5, TITLE + kept("/var/log/example", level="important")),
    ("secret-mode", 5, TITLE + kept("/var/lib/example", 'mode = "0755"', level="secret")),
    ("dynamic-user", 5, TITLE + kept("/var/lib/private/example", 'mode = "0755"')),
    (
        "dynamic-user",
        5,
        TITLE + kept("/var/lib/private/example", 'mode = "0700"', 'user = "nobody"'),
    ),
    ("dynamic-user", 6, TITLE + "dynamic-user = true\n" + kept("/var/lib/example")),
    (
        "rename-needs-directory",
        5,
        TITLE + kept("/var/lib/example/db", 'kind = "file"', 'written = "rename"'),
    ),
    (
        "contradiction",
        5,
        TITLE + kept("/var/lib/example") + '[[never]]\npath = "/var/lib/example"\nwhy = "lock"\n',
    ),
    ("note-of-path", 5, TITLE + kept("/var/lib/example", 'note = "A sentence."')),
    ("note-of-path", 5, TITLE + kept("/var/lib/example", f'note = "{"a" * 161}"')),
    ("note-of-entry", 2, 'title = "Example"\nnote = "keeps nothing"\n' + KNOWN),
    ("programs", 2, 'title = "Example"\nprograms = ["java"]\n' + KNOWN + kept("/var/lib/example")),
    (
        "programs",
        2,
        'title = "Example"\nprograms = ["/bin/x"]\n' + KNOWN + kept("/var/lib/example"),
    ),
    ("units", 2, 'title = "Example"\nunits = ["example"]\n' + KNOWN + kept("/var/lib/example")),
    ("aliases", 4, TITLE + 'aliases = ["Exampled"]\n' + kept("/var/lib/example")),
    ("enable", 4, TITLE + 'enable = "services.x.enable"\n' + kept("/var/lib/example")),
    ("form", 5, TITLE + kept("var/lib/example")),
    ("evidence", 1, 'title = "Example"\n' + kept("/var/lib/example")),
]


@pytest.mark.parametrize(("rule", "line", "text"), BREACHES)
def test_breach_is_found_with_its_line(tmp_path: Path, rule: str, line: int, text: str) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "example.toml").write_text(text)
    (finding,) = check(tmp_path)
    assert (finding.file, finding.line, finding.rule) == (
        "nix/services/example.toml",
        line,
        rule,
    )


def test_secret_directory_at_home_needs_a_mode(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "example.toml").write_text(TITLE + kept(".example", level="secret"))
    assert [finding.rule for finding in check(tmp_path)] == ["secret-mode"]


def test_renamed_file_within_a_kept_directory_is_no_breach(tmp_path: Path) -> None:
    renamed = ('kind = "file"', 'written = "rename"')
    text = TITLE + kept("/var/lib/example") + kept("/var/lib/example/k", *renamed, level="secret")
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "example.toml").write_text(text)
    assert check(tmp_path) == ()


def test_breaches_between_two_entries_are_found(tmp_path: Path) -> None:
    shared = kept("/var/log/wtmp", 'kind = "file"', table="shared")
    (tmp_path / "services").mkdir()
    one, two = (tmp_path / "services" / f"{name}.toml" for name in ("example", "exampler"))
    one.write_text(TITLE + kept("/var/lib/example") + shared)
    two.write_text(TITLE + kept("/var/lib/example") + shared.replace("normal", "secret"))
    found = [(finding.file, finding.line, finding.rule) for finding in check(tmp_path)]
    assert found == [
        ("nix/services/exampler.toml", 5, "one-owner"),
        ("nix/services/exampler.toml", 9, "same-level"),
    ]


def test_every_wrong_file_is_reported_not_only_the_first(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    for name in ("a", "b"):
        (tmp_path / "services" / f"{name}.toml").write_text("title = 1\n")
    assert [finding.file for finding in check(tmp_path)] == [
        "nix/services/a.toml",
        "nix/services/b.toml",
    ]


def test_shared_names_are_found_too(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "a.toml").write_text(TITLE + 'note = "Keeps no state."\n')
    (tmp_path / "services" / "b.toml").write_text(
        'title = "B"\nnote = "Keeps no state."\naliases = ["a"]\n' + KNOWN
    )
    assert [(each.line, each.rule) for each in check(tmp_path)] == [(3, "form")]


def test_shipped_catalogue_keeps_to_the_guidelines() -> None:
    assert check() == ()


def test_guidelines_page_explains_every_rule() -> None:
    page = (REPOSITORY / "docs" / "guidelines.md").read_text()
    explained = set(re.findall(r"`([a-z-]+)`", page))
    assert {rule for rule, _, _ in BREACHES} <= explained


def test_entries_without_a_source_are_those_of_before() -> None:
    without = {entry.file for entry in shipped() if entry.known is None}
    assert without == {f"nix/{each}.toml" for each in UNSOURCED}
