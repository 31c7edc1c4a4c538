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
    "gpg": "gpg --list-keys; gpg -K | grep -q a@b || gpg --batch --passphrase '' --quick-gen-key a@b default default never; gpg -K",
    "ssh-keygen": "mkdir -p ~/.ssh; test -f ~/.ssh/id_ed25519 || ssh-keygen -q -N '' -f ~/.ssh/id_ed25519; cat ~/.ssh/id_ed25519",
    "git": "git config --global user.name A; git config --global -l",
    "sqlite3": "mkdir -p ~/.local/share/sqlite3; sqlite3 ~/.local/share/sqlite3/a.db 'create table if not exists t(x); insert into t values(1); select * from t'",
    "python3": "python3 -c \"import readline,os;p=os.path.expanduser('~/.python_history');os.path.exists(p) and readline.read_history_file(p);readline.add_history('x');readline.write_history_file(p)\"",
    "bash": "cat ~/.bash_history; bash -c 'HISTFILE=~/.bash_history; set -o history; history -s x; history -a'",
    "less": "less -R /etc/hostname >/dev/null; cat ~/.lesshst; echo .less-history-file: > ~/.lesshst",
    "restic": "export RESTIC_PASSWORD=a; restic -r ~/.local/share/restic snapshots || restic -r ~/.local/share/restic init; restic -r ~/.local/share/restic snapshots",
    "borg": "export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes; mkdir -p ~/.local/share; borg info ~/.local/share/borg || borg init -e none ~/.local/share/borg; borg info ~/.local/share/borg",
    "npm": "npm config set fund=false; npm config get fund",
    "pip": "pip config set global.timeout 60; pip config list",
    "fc-cache": "fc-cache",
    "wget": "cat ~/.wget-hsts; wget -q --hsts-file ~/.wget-hsts https://localhost/; echo x >> ~/.wget-hsts",
    "emacs": 'mkdir -p ~/.emacs.d; emacs --batch --eval \'(progn (require (quote recentf)) (setq recentf-save-file "~/.emacs.d/recentf") (recentf-load-list) (recentf-push "/etc/hostname") (recentf-save-list))\'',
    "task": "yes | task add x; task rc.confirmation=no list",
    "gh": "gh config set editor vi; gh config get editor",
    "svn": "svn ls file:///nowhere; ls ~/.subversion; svn info --config-dir ~/.subversion file:///nowhere",
    "hg": "export HGUSER=a; test -d ~/code/.hg || hg init ~/code; hg -R ~/code summary; echo x >>~/code/a; hg -R ~/code commit -A -m x",
    "fossil": "export USER=a; mkdir -p ~/museum; test -f ~/museum/a.fossil || fossil init ~/museum/a.fossil; fossil info -R ~/museum/a.fossil",
    "darcs": "test -d ~/darcs/_darcs || darcs init ~/darcs; darcs log --repodir ~/darcs",
    "composer": "composer global config repositories.a vcs https://localhost/; composer global config -l",
    "ipython3": "ipython3 -c '1'; echo 2 | ipython3 --no-banner",
    "node": "node -e \"const s=require('stream'),r=require('repl').start({terminal:true,input:s.Readable.from(['1\\n']),output:new s.Writable({write(a,b,c){c()}})});r.setupHistory(process.env.HOME+'/.node_repl_history',()=>{})\"",
    "php": 'php -r \'$p=getenv("HOME")."/.local/share/phpapp"; @mkdir($p,0755,true); $d=new PDO("sqlite:$p/db"); $d->exec("create table if not exists t(x)"); $d->exec("insert into t values(1)");\' || php -r \'readline_read_history(getenv("HOME")."/.php_history"); readline_add_history("x"); readline_write_history(getenv("HOME")."/.php_history");\'',
    "w3m": "mkdir -p ~/.w3m; w3m -dump ~/.w3m/bookmark.html; echo '<a href=x>x</a>' >> ~/.w3m/bookmark.html; w3m -dump ~/.w3m/bookmark.html",
    "openssl": "mkdir -p ~/.ssl; test -f ~/.ssl/key.pem || openssl genpkey -algorithm ed25519 -out ~/.ssl/key.pem; openssl pkey -in ~/.ssl/key.pem -noout",
    "certtool": "mkdir -p ~/.pki; test -f ~/.pki/key.pem || certtool --generate-privkey --key-type ed25519 --outfile ~/.pki/key.pem; certtool --key-info --infile ~/.pki/key.pem",
    "syncthing": "test -f ~/.config/syncthing/config.xml || syncthing generate --home ~/.config/syncthing; syncthing --home ~/.config/syncthing --device-id",
    "duplicity": "mkdir -p ~/papers ~/backup; echo x >>~/papers/a; duplicity --no-encryption ~/papers file://$HOME/backup; duplicity collection-status file://$HOME/backup",
    "ledger": "cat ~/.ledger; printf '2026-01-01 x\\n  a  1\\n  b\\n' >>~/.ledger; ledger -f ~/.ledger bal",
    "mysqld": "d=~/.local/share/mysql; mkdir -p $d; test -d $d/mysql || mysql_install_db --no-defaults --datadir=$d --auth-root-authentication-method=normal; echo 'create table if not exists test.t(x int); insert into test.t values(1);' >/tmp/boot.sql; echo 'create database if not exists test;' | mysqld --no-defaults --datadir=$d --bootstrap; ls $d/test",
    "slapadd": "d=~/.local/share/slapd; mkdir -p $d; printf 'include /etc/ldap/schema/core.schema\\nmoduleload back_mdb\\ndatabase mdb\\nsuffix dc=a\\ndirectory %s\\n' $d >/tmp/slapd.conf; slapcat -f /tmp/slapd.conf; printf 'dn: dc=a\\nobjectClass: dcObject\\nobjectClass: organization\\no: a\\ndc: a\\n' | slapadd -f /tmp/slapd.conf",
    "firefox-esr": "firefox-esr --headless --screenshot /tmp/x.png file:///etc/hostname",
    "logrotate": "mkdir -p ~/.local/state ~/log; echo x >>~/log/a.log; printf '%s/log/*.log { size 1\\nrotate 2\\n}\\n' $HOME >/tmp/l.conf; chmod 644 /tmp/l.conf; logrotate -s ~/.local/state/logrotate /tmp/l.conf",
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
                print(f"{name}: nothing is advised", flush=True)
                continue
            right = case.rehearse(advice)
            counts["programs"] += 1
            counts[f"right advice: {right.get('verdict')}"] += 1
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
