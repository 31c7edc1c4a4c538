"""The tour of README.md, command by command, on a machine that is booted for it.

`IMPTRACE_WRITE_TOUR=1` writes what the machine answers into README.md instead of comparing it.
"""

import os
import re
from pathlib import Path

import pytest
from machine import Machine

README = Path(__file__).parents[2] / "README.md"
TOUR = re.compile(r"(?<=<!-- tour -->\n```console\n).*?(?=```\n)", re.DOTALL)
CONFIGURATION = """{ config, pkgs, ... }:
{
  environment.persistence."/persistent" = {
    hideMounts = true;
    directories = [
      "/var/lib/nixos"
      "/var/log"
    ];
  };
}
"""
PREPARED = """
pg_createcluster 15 main >/dev/null
systemctl daemon-reload
systemctl start postgresql@15-main
runuser -u postgres -- psql -q -d postgres -c 'CREATE TABLE people (name text)'
mkdir -p /persistent /var/lib/scanner
sleep 1.1
echo A4 >/var/lib/scanner/defaults
"""
# What the initrd of an impermanent system does: the old root put aside, what is kept mounted.
WIPED = """
systemctl stop postgresql@15-main
mkdir -p /old/var
cp -a /var/lib /old/var/lib
rm -r /var/lib/postgresql /var/lib/scanner
mkdir /var/lib/postgresql
mount --bind /persistent/var/lib/postgresql /var/lib/postgresql
systemctl start postgresql@15-main
"""
# What differs from one machine and one day to the next.
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "DATE"),
    (re.compile(r"[\d.,]+ (B|kB|MB|GB)\b"), "SIZE"),
    (re.compile(r"and \d+ more|\(\d+ files? "), "NUMBER"),
    (re.compile(r"main/(base|global|pg_\w+)/\S+"), "FILE"),
    (re.compile(r" {2,}"), "  "),
)


@pytest.fixture(name="prepared")
def _prepared(own_machine: Machine) -> Machine:
    """Give it a database with a table, a configuration, and state that nobody thinks of."""
    own_machine.write("/etc/nixos/configuration.nix", CONFIGURATION)
    own_machine.sh(PREPARED)
    return own_machine


def test_the_tour(prepared: Machine) -> None:
    readme = README.read_text()
    found = TOUR.search(readme)
    assert found is not None
    answered = "".join(answer(prepared, line) for line in found[0].splitlines() if is_step(line))
    if os.environ.get("IMPTRACE_WRITE_TOUR"):
        README.write_text(readme[: found.start()] + answered + readme[found.end() :])
    else:
        assert squeezed(answered) == squeezed(found[0])


def is_step(line: str) -> bool:
    return line.startswith(("# ", "("))


def answer(machine: Machine, line: str) -> str:
    """Do what a line of the session says, and give it with what the machine said."""
    if line.startswith("("):
        machine.sh(WIPED)
        return f"{line}\n"
    done = machine.run(
        "sh", "-c", f"cd /etc/nixos; {line.removeprefix('# ')} 2>&1", check=False, timeout=300
    )
    return f"{line}\n" + "".join(f"{each.rstrip()}\n" for each in done.stdout.splitlines())


def squeezed(text: str) -> str:
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    # How many files a server reads again, and which first, is its own affair.
    return re.sub(r"(came back +\S+\n)+( +NUMBER\n)?", "came back\n", text)
