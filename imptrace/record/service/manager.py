"""The service manager, asked and told through systemctl."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imptrace.errors import ImptraceError

COMMAND_SECONDS = 300
"""Longer than systemd itself waits for a unit to start (90 s) and to stop (90 s) by default."""
_PROPERTY = re.compile(r"^([A-Z][A-Za-z0-9]*)=(.*)$", re.ASCII)


class ManagerError(ImptraceError):
    """The service manager refused, or cannot be reached."""


@dataclass(frozen=True, slots=True)
class Manager:
    """systemd as PID 1, or (`user`) the manager of the user who runs us."""

    user: bool = False

    @property
    def unit_directory(self) -> Path:
        """Where units and drop-ins live that are gone at reboot."""
        if self.user:
            return runtime_directory(user=True).parent / "systemd" / "user"
        return Path("/run/systemd/system")

    @property
    def control_directory(self) -> Path:
        """Where `systemctl set-property` keeps its settings, and units are looked for, at boot.

        NixOS has `unit_directory`'s lasting counterpart, /etc/systemd/system, in its store.
        """
        if not self.user:
            return Path("/etc/systemd/system.control")
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(home, "systemd", "user.control")

    @property
    def boot_target(self) -> str:
        """What is started at every boot, for --user at every start of the manager."""
        return "default.target" if self.user else "multi-user.target"

    def require(self) -> None:
        """Raise ImptraceError unless there is such a manager and we may tell it what to do."""
        if not Path("/run/systemd/system").is_dir():
            raise ManagerError(
                "services need systemd as PID 1, which this machine has not; "
                "`imptrace run` and `imptrace attach` work without"
            )
        if not self.user and os.geteuid() != 0:
            raise ManagerError(
                "recording a system service needs root: use sudo, or --user for a unit of your own"
            )

    def version(self) -> int:
        """Answer with the number of systemd's version."""
        words = self._ask("--version").split()
        digits = re.match(r"\d+", words[1]) if len(words) > 1 else None
        if digits is None:
            raise ManagerError("systemctl --version does not say which systemd this is")
        return int(digits[0])

    def search_path(self) -> str:
        """Where systemd looks for programs that are named without a path, as in PATH."""
        done = subprocess.run(
            ["systemd-path", "search-binaries-default"],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or os.defpath

    def show(self, unit: str) -> dict[str, str]:
        """All properties of `unit`; those that are not set are mostly left out by systemd."""
        properties: dict[str, str] = {}
        for line in self._ask("show", "--", unit).split("\n"):
            if found := _PROPERTY.match(line):
                properties.setdefault(found[1], found[2])
        return properties

    def loaded_units(self, pattern: str) -> list[str]:
        """List the units in memory whose names fit a shell pattern."""
        out = self._ask("list-units", "--all", "--plain", "--no-legend", "--full", "--", pattern)
        return [line.split()[0] for line in out.split("\n") if line.strip()]

    def tell(self, *arguments: str) -> None:
        """Run a systemctl command. Raises ManagerError with what systemctl said."""
        done = self._run(*arguments)
        if done.returncode:
            raise ManagerError(_reason(arguments, done))

    def try_to(self, *arguments: str) -> str | None:
        """Run a systemctl command; answer with what went wrong, if anything did."""
        done = self._run(*arguments)
        return _reason(arguments, done) if done.returncode else None

    def _ask(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise ManagerError(_reason(arguments, done))
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        mode = ["--user"] if self.user else ["--system"]
        try:
            return subprocess.run(
                ["systemctl", *mode, "--no-pager", *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="surrogateescape",
                env=_environment(os.environ),
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise ManagerError("systemctl is not in PATH: is this a systemd machine?") from None
        except subprocess.TimeoutExpired:
            words = " ".join(arguments)
            raise ManagerError(
                f"`systemctl {words}` did not end within {COMMAND_SECONDS} s"
            ) from None


def runtime_directory(*, user: bool) -> Path:
    """Where sockets and the shim live: gone at reboot. Raises ManagerError."""
    if not user:
        return Path("/run/imptrace")
    given = os.environ.get("XDG_RUNTIME_DIR")
    if not given:
        raise ManagerError(
            "XDG_RUNTIME_DIR is not set: --user needs a session of the user "
            "(log in, or `machinectl shell USER@`)"
        )
    return Path(given) / "imptrace"


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_URLIFY": "0"}


def _reason(arguments: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> str:
    said = [line for line in done.stderr.split("\n") if line.strip()]
    first = said[0] if said else f"exit status {done.returncode}"
    return f"`systemctl {' '.join(arguments)}`: {first}"
