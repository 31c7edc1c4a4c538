"""The service manager, asked and told through systemctl."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from imptrace.facts.commands import answer_if_any
from imptrace.facts.systemctl import (
    ManagerError,
    answer_of,
    complaint,
    properties_in,
    systemctl,
)


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
        path = answer_if_any("systemd-path", "search-binaries-default")
        return os.fsdecode(path.strip()) or os.defpath

    def show(self, unit: str) -> dict[str, str]:
        """All properties of `unit`; those that are not set are mostly left out by systemd."""
        return properties_in(self._ask("show", "--", unit))

    def loaded_units(self, pattern: str) -> list[str]:
        """List the units in memory whose names fit a shell pattern."""
        out = self._ask("list-units", "--all", "--plain", "--no-legend", "--full", "--", pattern)
        return [line.split()[0] for line in out.split("\n") if line.strip()]

    def tell(self, *arguments: str) -> None:
        """Run a systemctl command. Raises ManagerError with what systemctl said."""
        self._ask(*arguments)

    def try_to(self, *arguments: str) -> str | None:
        """Run a systemctl command; answer with what went wrong, if anything did."""
        done = systemctl(*arguments, user=self.user)
        return complaint(arguments, done) if done.returncode else None

    def _ask(self, *arguments: str) -> str:
        return answer_of(*arguments, user=self.user)


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
