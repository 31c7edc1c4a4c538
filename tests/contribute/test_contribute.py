"""`imptrace contribute`, from a recorded run to a commit, by the command line."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from sample_repositories import git, make_repository, state

from imptrace.cli.app import main


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


Contribute = Callable[..., Done]


@pytest.fixture
def contribute(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Contribute:
    """Run `imptrace contribute` in this process, which has read the catalogue already."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["imptrace", "contribute", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Done(caught.value.code, said.out, said.err)

    return run


@pytest.mark.usefixtures("database")
def test_a_branch_with_one_commit(contribute: Contribute, impermanence_repository: Path) -> None:
    """Committed, explained, and nothing else touched; then the commands that are left."""
    git(impermanence_repository, "remote", "add", "origin", "git@github.com:somebody/modules.git")
    before = state(impermanence_repository)
    done = contribute("--service", "nm", "--repo", impermanence_repository)
    assert done.returncode == 0, done.stderr
    branch = "networkmanager-persistence"
    assert git(impermanence_repository, "log", "--format=%s", f"main..{branch}") == (
        "networkmanager: persistence\n"
    )
    body = " ".join(git(impermanence_repository, "log", "-1", "--format=%b", branch).split())
    assert body.startswith("Observed: NetworkManager 1.50.0, 2 runs (recorder notify, imptrace ")
    assert "- /var/lib/NetworkManager (directory): read before it was written in 2 runs;" in body
    assert done.stdout.splitlines()[-4:] == [
        f"  git -C {impermanence_repository} show {branch}",
        f"  cd {impermanence_repository} && gh repo fork --remote --remote-name fork",
        f"  git -C {impermanence_repository} push --set-upstream fork {branch}",
        (
            "  gh pr create --repo somebody/modules "
            f'--head "$(gh api user --jq .login):"{branch} --fill'
        ),
    ]
    git(impermanence_repository, "branch", "--quiet", "-D", branch)
    assert state(impermanence_repository) == before


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("layout", ["impermanence_repository", "catalogue_repository"])
def test_nothing_private_leaves(
    contribute: Contribute, layout: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Neither in message, diff or patch: user, host, home, arguments, names of files."""
    repository = request.getfixturevalue(layout)
    patch = tmp_path / "nm.patch"
    shown = contribute("--service", "nm", "--repo", repository, "--dry-run")
    written = contribute("--service", "nm", "--repo", repository, "--patch", patch)
    committed = contribute("--service", "nm", "--repo", repository)
    assert [shown.returncode, written.returncode, committed.returncode] == [0, 0, 0]
    raw = git(repository, "cat-file", "-p", "networkmanager-persistence")
    everything = shown.stdout + shown.stderr + patch.read_text() + raw
    assert "NetworkManager" in everything
    for word in ("zaphod", "heartofgold", "1042", "X1Y2Z3", "nmconnection", "--config"):
        assert word not in everything.lower(), word


@pytest.mark.usefixtures("database")
def test_a_dry_run_and_a_patch_change_nothing(
    contribute: Contribute, impermanence_repository: Path, tmp_path: Path
) -> None:
    """They say all that the commit would hold."""
    before = state(impermanence_repository)
    shown = contribute(
        "--service", "networkmanager", "--repo", impermanence_repository, "--dry-run"
    )
    assert shown.stdout.startswith("networkmanager: persistence\n\nObserved: ")
    assert "+++ b/nixos-modules/networkmanager/persistence.nix\n" in shown.stdout
    patch = tmp_path / "nm.patch"
    arguments = ("--service", "networkmanager", "--repo", impermanence_repository, "--patch", patch)
    assert contribute(*arguments).returncode == 0
    assert state(impermanence_repository) == before
    again = contribute(*arguments)
    assert (again.returncode, again.stdout) == (2, "")
    assert "exists: name another file" in again.stderr
    git(impermanence_repository, "am", "--quiet", str(patch))
    assert (impermanence_repository / "nixos-modules/networkmanager/persistence.nix").exists()


@pytest.mark.usefixtures("database")
def test_the_catalogue_gets_what_it_lacks(
    contribute: Contribute, catalogue_repository: Path
) -> None:
    """A file for a service that this catalogue does not have yet."""
    done = contribute("--service", "networkmanager", "--repo", catalogue_repository, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Describe what NetworkManager keeps\n")
    assert '+option = "networking.networkmanager"\n' in done.stdout
    assert '+path = "/etc/NetworkManager/system-connections"\n' in done.stdout


@pytest.mark.usefixtures("database")
def test_a_service_of_ones_own_needs_its_option(
    contribute: Contribute, impermanence_repository: Path
) -> None:
    """Then its runs are found by the name that they were recorded under."""
    arguments = ("1", "--service", "my-daemon", "--repo", impermanence_repository, "--dry-run")
    refused = contribute(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--option" in refused.stderr
    done = contribute(*arguments, "--option", "services.my-daemon")
    assert done.returncode == 0, done.stderr
    assert "+  cfg = config.services.my-daemon;" in done.stdout


HOSTILE = (
    "../../etc",
    'a"; rm -rf ~',
    "x\x1b[31m",
    "",
    "a/b",
    "--",
    "ä",
    "x" * 200,
    "A B",
    "$(id)",
)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_service_name_is_refused(
    contribute: Contribute, impermanence_repository: Path, name: str
) -> None:
    """Even with an option beside it; one harmless line, and nothing changed."""
    before = state(impermanence_repository)
    done = contribute(
        f"--service={name}", "--repo", impermanence_repository, "--option", "services.x", "1"
    )
    check_refused(done, "is no name for a service")
    assert state(impermanence_repository) == before


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("option", ["x", "services.${x}", "services.a b", "services.x;", "a..b"])
def test_a_hostile_option_is_refused(
    contribute: Contribute, impermanence_repository: Path, option: str
) -> None:
    """It becomes part of Nix source."""
    before = state(impermanence_repository)
    done = contribute("--service=x", "--repo", impermanence_repository, f"--option={option}", "1")
    check_refused(done, "is no option path")
    assert state(impermanence_repository) == before


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--service", "networkmanger"), "did you mean"),
        (("--service", "nm", "77"), "no run is called '77'"),
        (("--service", "nm", "--include-shared", "/etc/hosts"), "is not among the recommend"),
        (("--service", "nm", "--branch", "a..b"), "no name for a branch"),
        (("--service", "nm", "--branch", "main"), "exists already"),
        (("--service", "nm", "--dry-run", "--patch", "x"), "leave it out, or --patch"),
        (("--service", "nm", "--patch", "/nowhere/x"), "cannot be written"),
        (("--service", "nm", "--db", "/nowhere/db"), "nothing is recorded yet"),
    ],
)
def test_wrong_usage(
    contribute: Contribute, impermanence_repository: Path, arguments: tuple[str, ...], message: str
) -> None:
    """One line, exit code 2, and the repository as before."""
    before = state(impermanence_repository)
    done = contribute(*arguments, "--repo", impermanence_repository)
    check_refused(done, message)
    assert state(impermanence_repository) == before


@pytest.mark.usefixtures("database")
def test_an_unknown_layout_is_refused(contribute: Contribute, tmp_path: Path) -> None:
    """With what was looked for."""
    repository = make_repository(tmp_path / "plain", {"README": "x"}, ("Begin",))
    before = state(repository)
    done = contribute("--service", "nm", "--repo", repository)
    check_refused(done, "looked for nix/services/NAME.toml (imptrace's catalogue); flake.nix with")
    assert state(repository) == before


@pytest.mark.usefixtures("database")
def test_nothing_to_contribute(contribute: Contribute, impermanence_repository: Path) -> None:
    """When upstream keeps it all already."""
    assert contribute("--service", "nm", "--repo", impermanence_repository).returncode == 0
    git(impermanence_repository, "merge", "--quiet", "--ff-only", "networkmanager-persistence")
    before = state(impermanence_repository)
    done = contribute("--service", "nm", "--repo", impermanence_repository, "--branch", "more")
    check_refused(done, "nothing to contribute: the repository keeps all that was observed")
    assert state(impermanence_repository) == before


@pytest.mark.usefixtures("database")
def test_another_level_is_told_where_nothing_else_is_to_be_done(
    contribute: Contribute, impermanence_repository: Path
) -> None:
    """The level is for people to decide, so they must hear of it."""
    assert contribute("--service", "nm", "--repo", impermanence_repository).returncode == 0
    git(impermanence_repository, "merge", "--quiet", "--ff-only", "networkmanager-persistence")
    module = impermanence_repository / "nixos-modules/networkmanager/persistence.nix"
    module.write_text(module.read_text().replace("secret.", "important."))
    git(impermanence_repository, "commit", "--quiet", "--all", "-m", "Lower a level")
    done = contribute("--service", "nm", "--repo", impermanence_repository, "--branch", "more")
    check_refused(done, "at level important, which was observed as secret")


@pytest.mark.usefixtures("database")
def test_a_dirty_work_tree_is_refused(
    contribute: Contribute, impermanence_repository: Path
) -> None:
    """By the command as by the library."""
    (impermanence_repository / "flake.nix").write_text("{}")
    before = state(impermanence_repository)
    done = contribute("--service", "nm", "--repo", impermanence_repository)
    check_refused(done, "has uncommitted changes")
    assert state(impermanence_repository) == before


def check_refused(done: Done, message: str) -> None:
    """Check that a command ended with one clear line and exit code 2."""
    assert message in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("imptrace: ")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
