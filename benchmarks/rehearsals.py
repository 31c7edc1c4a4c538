"""Rehearse Debian's programs with right advice, and with advice that was broken on purpose.

    python -m benchmarks.rehearsals [PROGRAM...]

Each program runs twice under `imptrace run` in a home of its own, is advised on, and rehearsed: as
advised; with a path taken out; with a directory made a single file that its program replaces or
beside which it keeps others; with another owner; and at a level too low. Programs that are not
installed are left out, and so are ways to break an advice that it does not offer.
"""

# ruff: noqa: E501 (a command stands in one line)

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

IMPTRACE = Path(sys.executable).with_name("imptrace")
SECONDS = 300

COMMANDS: dict[str, str] = {
    "vim": "vim -es -c 'set viminfo+=n~/.viminfo' -c 'call histadd(\":\", \"x\")' -c 'wviminfo' -c q",
    "nano": "true",
    "gpg": "gpg --list-keys; gpg --batch --passphrase '' --quick-gen-key a@b default default never; gpg -K",
    "ssh-keygen": "test -f ~/.ssh/id_ed25519 || ssh-keygen -q -N '' -f ~/.ssh/id_ed25519; cat ~/.ssh/id_ed25519",
    "git": "git config --global user.name A; git config --global -l",
    "sqlite3": "mkdir -p ~/.local/share/sqlite3; sqlite3 ~/.local/share/sqlite3/a.db 'create table if not exists t(x); insert into t values(1); select * from t'",
    "python3": "python3 -c \"import readline,os;p=os.path.expanduser('~/.python_history');os.path.exists(p) and readline.read_history_file(p);readline.add_history('x');readline.write_history_file(p)\"",
    "bash": "bash -c 'cat ~/.bash_history; echo x >> ~/.bash_history'",
    "less": "less -R /etc/hostname >/dev/null; cat ~/.lesshst 2>/dev/null; echo .less-history-file: > ~/.lesshst",
    "tmux": "true",
    "restic": "export RESTIC_PASSWORD=a; restic -r ~/.local/share/restic snapshots || restic -r ~/.local/share/restic init; restic -r ~/.local/share/restic snapshots",
    "borg": "export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes; mkdir -p ~/.local/share; borg info ~/.local/share/borg || borg init -e none ~/.local/share/borg; borg info ~/.local/share/borg",
    "firefox-esr": "firefox-esr --headless --screenshot /tmp/x.png file:///etc/hostname",
    "htop": "true",
    "mc": "true",
    "npm": "npm config set x=1; npm config get x",
    "pip": "pip config set global.timeout 60; pip config list",
    "fc-cache": "fc-cache",
    "gsettings": "gsettings list-schemas >/dev/null",
    "wget": "wget -q --hsts-file ~/.wget-hsts https://localhost/ ; cat ~/.wget-hsts; echo x >> ~/.wget-hsts",
    "nix-instantiate": "nix-instantiate --eval -E 1",
    "emacs": "emacs --batch --eval '(customize-save-variable (quote x) 1)'",
    "fish": "fish -c 'set -U x 1; echo $x'",
    "zsh": "zsh -c 'HISTFILE=~/.zsh_history; fc -R; print -s x; fc -W'",
    "taskwarrior": "yes | task add x; task list",
    "pass": "true",
    "mutt": "true",
    "gh": "gh config set editor vi; gh config get editor",
    "cargo": "cargo --version",
    "go": "go env -w GOFLAGS=-x; go env GOFLAGS",
    "jupyter": "jupyter --paths",
}


class Case:
    """A program in a home of its own."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.script = directory / name
        self.script.write_text(f"#!/bin/sh\n{COMMANDS[name]}\nexit 0\n")
        self.script.chmod(0o755)
        self.home = directory / "home"
        self.home.mkdir()
        self.advice_file = directory / "advice.json"
        self._environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "GIT_"))
        } | {"HOME": str(self.home), "IMPTRACE_DB": str(directory / "db")}

    def imptrace(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run imptrace there."""
        return subprocess.run(
            [IMPTRACE, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
        )

    def advice(self) -> dict[str, Any]:
        """Record it twice, and ask."""
        for _ in range(2):
            self.imptrace("run", "-q", "--label", "r", self.script)
        found: dict[str, Any] = json.loads(
            self.imptrace("recommend", "--json", self.name).stdout or "{}"
        )
        return found

    def rehearse(self, advice: dict[str, Any]) -> dict[str, Any]:
        """Rehearse it with an advice."""
        self.advice_file.write_text(json.dumps(advice))
        done = self.imptrace(
            "rehearse", self.name, "--json", "--advice", self.advice_file, "--", str(self.script)
        )
        if not done.stdout:
            print(f"  {self.name}: {done.stderr.strip()}", file=sys.stderr)
            return {}
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def broken(advice: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Break an advice in every way that it offers."""
    rows = [row for row in advice["recommendations"] if row["scope"] == "owned"]
    kept = [row for row in rows if row["level"] != "transient" and row["observed"]]
    if not kept:
        return
    top = min(kept, key=lambda row: len(row["path"]))
    inside = [row for row in rows if row["path"].startswith(top["path"] + "/")]
    rest = [row for row in rows if row is not top and row not in inside]
    yield "path taken out", advice | {"recommendations": rest}
    owner = [row | {"user": "daemon", "group": "daemon"} for row in rows]
    yield "wrong owner", advice | {"recommendations": owner}
    level = [row | {"level": "transient"} for row in rows]
    yield "wrong level", advice | {"recommendations": level}
    if top["kind"] == "directory":
        single = top | {"path": f"{top['path']}/.imptrace-no-such-file", "kind": "file"}
        yield "single file", advice | {"recommendations": [*rest, single]}


def main() -> None:
    """Rehearse all, and count."""
    counts: Counter[str] = Counter()
    for name in sys.argv[1:] or COMMANDS:
        with tempfile.TemporaryDirectory(prefix="imptrace-rehearsals-") as directory:
            case = Case(name, Path(directory))
            advice = case.advice()
            if not any(row["scope"] == "owned" for row in advice.get("recommendations", ())):
                counts["without state"] += 1
                continue
            right = case.rehearse(advice)
            counts["programs"] += 1
            counts["right advice passed"] += right.get("verdict") == "came-back"
            print(f"{name}: {right.get('verdict')} {right.get('findings')}", flush=True)
            for what, advised in broken(advice):
                found = case.rehearse(advised)
                counts[f"{what}: tried"] += 1
                counts[f"{what}: found"] += bool(found.get("findings"))
                if not found.get("findings"):
                    print(f"  {what}: not found", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
