"""What `imptrace attach` is to record: the processes, and what is known of them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.units import RUN_PROPERTIES
from imptrace.record.groups import group_of
from imptrace.record.launch import Begun, first_that_works
from imptrace.record.service.manager import Manager
from imptrace.tracer import proc, targets
from imptrace.tracer.bpf.recorder import ControlGroup, Where, watch
from imptrace.tracer.permission import is_privileged
from imptrace.tracer.program import RunSubject, shown
from imptrace.tracer.recorder import (
    AUTO,
    Attached,
    AttachError,
    RecorderInfo,
    RecorderOptions,
    attachers,
)

_KEPT = (*RUN_PROPERTIES, "InvocationID")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The processes to attach to."""

    pids: tuple[int, ...]
    subject: RunSubject
    service: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    """Facts about the service's unit."""
    group: ControlGroup | None = None
    """The unit's control group: what starts in it later is recorded too, where bpf records."""

    def __str__(self) -> str:
        """Say which they are."""
        threads = sum(len(proc.threads(pid)) for pid in self.pids)
        of_threads = "1 thread" if threads == 1 else f"{threads:,} threads"
        program = shown(self.subject.program)
        if len(self.pids) == 1:
            return f"{program} (process {self.pids[0]}, {of_threads})"
        return f"{program} and what belongs to it ({len(self.pids):,} processes, {of_threads})"


def chosen_by_pid(pids: Sequence[int]) -> Choice:
    """Choose these processes. Raises UsageError, ImptraceError."""
    processes = tuple(dict.fromkeys(targets.with_pid(pid) for pid in pids))
    return Choice(pids=processes, subject=targets.described(processes[0]))


def chosen_by_name(name: str) -> Choice:
    """Choose all processes of a program. Raises UsageError, ImptraceError."""
    pids = tuple(targets.with_name(name))
    return Choice(pids=pids, subject=targets.described(pids[0]))


def chosen_by_unit(word: str, known: Callable[[str], Iterable[str]]) -> Choice:
    """Choose all processes of a systemd unit, or of what the catalogue knows by this name.

    `known` answers with the catalogue's unit names or patterns for a name. Raises UsageError,
    ImptraceError.
    """
    for pattern in (word, *known(word)):
        if units := targets.in_unit(pattern):
            return _of_unit(*next(iter(units.items())))
    raise UsageError(f"unit {word} has no processes: it does not run here; see: systemctl status")


def begin(choice: Choice, options: RecorderOptions, recorder: str = AUTO) -> Begun[Attached]:
    """Begin to record. Raises UsageError, ImptraceError if one of the processes refuses."""
    return first_that_works(attachers(recorder), lambda info: _attached(info, choice, options))


def _attached(info: RecorderInfo, choice: Choice, options: RecorderOptions) -> Attached:
    try:
        if info.whole_machine and choice.group is not None:
            return watch(options, Where(group=choice.group), choice.pids)
        return info.attach(choice.pids, options)
    except AttachError as error:
        raise targets.refusal(error.pid, error.errno) from None


def read_duration(text: str) -> float:
    """Read a length of time, in seconds: 30, 30s, 5m, 1.5h, 2d. Raises UsageError."""
    found = _DURATION.fullmatch(text)
    if found is None or not float(found[1]):
        raise UsageError(f"{text!r} is no duration: write 30s, 5m, 1h or 2d")
    return float(found[1]) * _SECONDS[found[2]]


def _of_unit(unit: str, pids: Sequence[int]) -> Choice:
    facts = _facts(unit, pids[0])
    main = int(facts.get("MainPID", "0"))
    return Choice(
        pids=tuple(pids),
        subject=targets.described(main if main in pids else pids[0]),
        service=unit,
        properties={name: facts[name] for name in _KEPT if facts.get(name)},
        group=group_of(pids[0], unit),
    )


def _facts(unit: str, pid: int) -> dict[str, str]:
    """Ask systemd about the unit; nothing where it cannot be asked."""
    of_user = any(b"/user@" in path for path in proc.cgroups(pid))
    try:
        return Manager(user=of_user and not is_privileged()).show(unit)
    except ImptraceError:
        return {}
