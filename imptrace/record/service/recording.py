"""Starting and finishing a unit's recording, and removing every trace of one.

The order of steps is chosen so that being interrupted at any of them leaves a unit that starts:
the recorder is there before the drop-in is, and the drop-in is gone before the recorder is.
"""

import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.systemctl import ManagerError
from imptrace.record.service.dropin import DropinPlan, render
from imptrace.record.service.execline import ExecLine
from imptrace.record.service.launch import start_recorder
from imptrace.record.service.manager import Manager
from imptrace.record.service.order import (
    RecordingOrder,
    RecordingOutcome,
    read_order,
    read_outcome,
    write_order,
)
from imptrace.record.service.passive import group_path, refusal
from imptrace.record.service.place import RecordingFiles
from imptrace.record.service.sandbox import Allowance, allowance
from imptrace.record.service.shim import place_shim
from imptrace.record.service.spans import milliseconds
from imptrace.record.service.units import Unit, load_unit
from imptrace.tracer.recorder import AUTO, RecorderUnavailableError

FINISH_SECONDS = 120
"""How long a recorder may look at what the unit left behind."""
PATIENCE_MS = 10_000
"""How long a unit's command waits for the recorder: one that is restarted is back within 2 s."""
_LEAVE_SECONDS = 3
"""How long one whose unit has ended may take to leave."""
_SETTLE_SECONDS = 0.5
"""A unit whose commands cannot run at all has failed by then."""
_EXIT_OF_SANDBOX = range(200, 245)
"""systemd.exec(5): the codes of a process that failed before it became the unit's program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingWish:
    """What the user wants of a recording."""

    database: str | None = None
    label: str | None = None
    stats: bool = False
    writes_only: bool = False
    restart: bool = False
    recorder: str = AUTO


@dataclass(frozen=True, slots=True)
class Started:
    """What `start` did."""

    unit: Unit
    allowance: Allowance
    dropin: Path | None
    """None: it is recorded without one, by the bpf recorder."""
    restarted: bool
    notes: tuple[str, ...] = ()
    """Why the bpf recorder was passed by."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What `finish` found."""

    outcome: RecordingOutcome | None
    """None: there was no recorder any more to ask."""
    restarted: bool
    still_answering: bool
    """The unit runs on with its filter, and the recorder stays for it."""
    problem: str | None
    """Why the unit does not start again, though it is itself again."""


@dataclass(frozen=True, slots=True)
class RecordingState:
    """How a recording stands."""

    unit: str
    unit_state: str
    prepared: bool
    """The drop-in is there: recorded from its next start on."""
    at_boot: bool
    """To be recorded from its start at the next boot on."""
    recorder_state: str
    listeners: int
    """Commands of the unit whose processes are being answered."""
    said: str
    """The recorder's own words."""
    recorder: str
    """Which it is: bpf or notify."""


def examine(name: str, manager: Manager, *, restart: bool = False) -> Unit:
    """Read a unit that is to be recorded. Raises UsageError where it cannot be."""
    unit = load_unit(name, manager)
    if unit.properties.get("NeedDaemonReload") == "yes":
        manager.tell("daemon-reload")
        unit = load_unit(name, manager)
    refuse_if_taken(RecordingFiles(unit.name, manager))
    refusals = (unit.properties.get(f"RefuseManual{each}") for each in ("Start", "Stop"))
    if restart and unit.is_active and "yes" in refusals:
        raise UsageError(
            f"{unit.name} refuses to be restarted by hand: imptrace attach --unit {unit.name} "
            "records it as it runs, imptrace service start --at-boot its next boot"
        )
    return unit


def start(name: str, manager: Manager, wish: RecordingWish) -> Started:
    """Record a unit from its next start on, and restart it if it runs and `wish` says so.

    Raises UsageError where it cannot be recorded, ImptraceError where something failed; then
    nothing is left behind and the unit is in the state in which it was.
    """
    if manager.user and (problem := _unreadable_processes()):
        raise ManagerError(problem)
    unit = examine(name, manager, restart=wish.restart)
    group = group_path(unit.name, unit.properties)
    why_not = _why_not_passive(manager, group, wish.recorder)
    place = RecordingFiles(unit.name, manager)
    will_restart = wish.restart and unit.is_active
    try:
        if why_not is None:
            _order_recorder(unit, place, wish, group)
            allowed = Allowance()
        else:
            allowed = _prepare(unit, place, wish)
        if will_restart:
            _restart_recorded(place)
    except BaseException:
        _remove(place, restart=will_restart and why_not is not None)
        raise
    dropin = next(iter(place.dropins()), None)
    notes = (f"{why_not}; recording with notify instead",) if why_not else ()
    return Started(unit, allowed, dropin, will_restart, notes)


def finish(name: str, manager: Manager, *, restart: bool) -> Finished:
    """Stop recording a unit; restart it without the filter if it runs and `restart` is on.

    Raises UsageError if it is not being recorded.
    """
    place = RecordingFiles(name, manager)
    if not is_recorded(place):
        raise UsageError(f"{name} is not being recorded: imptrace service start {name} does that")
    has_filter = bool(place.dropins())
    _remove_dropins(place)
    restarted = restart and has_filter and _is_active(place)
    problem = _restart(place) if restarted else None
    outcome = _ask_for_outcome(place)
    is_gone = _remove_recorder(place)
    return Finished(outcome, restarted, still_answering=not is_gone, problem=problem)


def reset(name: str, manager: Manager, *, restart: bool) -> bool:
    """Remove every trace of a recording, whatever state it is in; answer whether there was one.

    A recorder that a running unit depends on, because it is not restarted, leaves with the unit.
    """
    place = RecordingFiles(name, manager)
    if not (place.dropins() or place.directory.exists() or _recorder_is_known(place)):
        return False
    _remove(place, restart=restart and bool(place.dropins()) and _is_active(place))
    return True


def state(place: RecordingFiles) -> RecordingState:
    """How a recording stands."""
    unit = place.manager.show(place.unit)
    recorder = place.manager.show(place.recorder)
    order = read_order(place.order)
    return RecordingState(
        place.unit,
        unit.get("ActiveState", "unknown"),
        bool(place.dropins()),
        bool(place.boot_files()),
        recorder.get("ActiveState", "unknown"),
        _listeners(place),
        recorder.get("StatusText", ""),
        "bpf" if order is not None and order.group else "notify",
    )


def is_recorded(place: RecordingFiles) -> bool:
    """Whether the unit has a drop-in or a recorder of ours."""
    return bool(place.dropins()) or _is_alive(place)


def refuse_if_taken(place: RecordingFiles) -> None:
    """Raise UsageError if the unit is being recorded, or will be at the next boot."""
    unit, flag = place.unit, "--user " if place.manager.user else ""
    if is_recorded(place):
        raise UsageError(
            f"{unit} is being recorded already: imptrace service finish {flag}{unit}, "
            f"or imptrace service reset {flag}{unit}"
        )
    if place.boot_files():
        raise UsageError(
            f"{unit} is to be recorded at the next boot already: "
            f"imptrace service reset {flag}{unit} takes that back"
        )


def _unreadable_processes() -> str | None:
    """Tell why the recorder of a user unit could not read the unit's processes, if it could not."""
    try:
        scope = Path("/proc/sys/kernel/yama/ptrace_scope").read_text("ascii").strip()
    except OSError:
        return None
    if scope == "0":
        return None
    return (
        f"kernel.yama.ptrace_scope is {scope}, so that only a parent may look at a process, and "
        "the parent of a user unit is systemd: sudo sysctl kernel.yama.ptrace_scope=0 allows it"
    )


def _prepare(unit: Unit, place: RecordingFiles, wish: RecordingWish) -> Allowance:
    manager = place.manager
    shim = str(place_shim(user=manager.user))
    allowed = allowance(
        unit.properties,
        shim=shim,
        runtime=str(place.directory.parent),
        version=manager.version(),
        user_manager=manager.user,
    )
    _order_recorder(unit, place, wish)
    undo = "imptrace service reset " + ("--user " if manager.user else "") + unit.name
    plan = DropinPlan(
        unit=unit.name,
        undo=undo,
        shim=shim,
        socket=str(place.socket),
        recorder=place.recorder,
        identifier=_identifier(unit),
        patience_ms=_patience_ms(unit),
        lines=unit.lines,
        allowance=allowed,
    )
    dropin = place.dropin_after(unit.properties.get("DropInPaths", ""))
    dropin.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    dropin.write_text(render(plan), encoding="utf-8", errors="surrogateescape")
    manager.tell("daemon-reload")
    if shim not in manager.show(unit.name).get("ExecStart", shim):
        raise ManagerError(f"{unit.name}: systemd does not take the drop-in {dropin}")
    return allowed


def _order_recorder(
    unit: Unit, place: RecordingFiles, wish: RecordingWish, group: tuple[str, ...] = ()
) -> None:
    place.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    for left in (place.outcome, place.finish):
        left.unlink(missing_ok=True)
    write_order(place.order, _order(unit, place.manager, wish, group))
    start_recorder(place)


def _why_not_passive(manager: Manager, group: tuple[str, ...], recorder: str) -> str | None:
    """Say why the bpf recorder is passed by: "" if it was asked for another one.

    Raises UsageError, RecorderUnavailableError if it alone was asked for.
    """
    if recorder not in (AUTO, "bpf", "notify"):
        raise UsageError(f"there is no recorder {recorder!r} for units; there are bpf, notify")
    if recorder == "notify":
        return ""
    why_not = refusal(manager, group)
    if why_not is not None and recorder == "bpf":
        raise RecorderUnavailableError(why_not)
    return "" if manager.user and why_not else why_not


def _identifier(unit: Unit) -> str | None:
    """Name the unit's messages as they are named without a shim: by its program."""
    if unit.properties.get("SyslogIdentifier"):
        return None
    return Path(_main_line(unit).path).name


def _patience_ms(unit: Unit) -> int:
    """Take less than half of the time that a command of the unit has: the shim may wait twice."""
    timeouts = [unit.properties.get(f"Timeout{each}USec", "") for each in ("Start", "Stop")]
    known = [span for span in map(milliseconds, timeouts) if span]
    return min(PATIENCE_MS, *(span // 4 for span in known)) if known else PATIENCE_MS


def _main_line(unit: Unit) -> ExecLine:
    lines = unit.lines.get("ExecStart") or next(each for each in unit.lines.values() if each)
    return lines[0]


def _order(
    unit: Unit, manager: Manager, wish: RecordingWish, group: tuple[str, ...]
) -> RecordingOrder:
    line = _main_line(unit)
    return RecordingOrder(
        unit=unit.name,
        user_manager=manager.user,
        database=wish.database,
        label=wish.label,
        argv=(line.path, *line.words()),
        facts=unit.facts,
        group=group,
        stats=wish.stats,
        writes_only=wish.writes_only,
    )


def _restart(place: RecordingFiles) -> str | None:
    """Restart the unit; answer with what went wrong, if anything did."""
    # Our restarts are not to be counted into the unit's start limit (StartLimitBurst=).
    place.manager.try_to("reset-failed", "--", place.unit)
    return place.manager.try_to("restart", "--", place.unit)


def _restart_recorded(place: RecordingFiles) -> None:
    """Restart the unit. Raises ManagerError if recording keeps it from running."""
    problem = _restart(place) or _failed_before_it_ran(place)
    if problem is not None:
        raise ManagerError(
            f"{place.unit} does not start while it is recorded, and runs without again ({problem})"
        )


def _failed_before_it_ran(place: RecordingFiles) -> str | None:
    end = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < end:
        now = place.manager.show(place.unit)
        status = int(now.get("ExecMainStatus", "0"))
        if now.get("ExecMainCode") == "1" and status in _EXIT_OF_SANDBOX:
            return f"exit status {status}, see systemctl status {place.unit}"
        if now.get("ActiveState") == "failed":
            return f"{now.get('Result')}, see systemctl status {place.unit}"
        time.sleep(0.1)
    return None


def _ask_for_outcome(place: RecordingFiles) -> RecordingOutcome | None:
    """Tell the recorder to finish, and wait until it has."""
    _tell_to_finish(place)
    if not _becomes_true(lambda: place.outcome.exists() or not _is_alive(place), FINISH_SECONDS):
        raise ImptraceError(
            f"the recorder of {place.unit} did not finish within {FINISH_SECONDS} s: see "
            f"journalctl -u {place.recorder}; imptrace service reset {place.unit} removes it"
        )
    return read_outcome(place.outcome)


def _tell_to_finish(place: RecordingFiles) -> None:
    """Leave word for the recorder. Not a signal: one that is just being started would miss it."""
    with contextlib.suppress(FileNotFoundError):
        place.finish.touch()


def _remove(place: RecordingFiles, *, restart: bool) -> None:
    _remove_dropins(place)
    problem = _restart(place) if restart else None
    _tell_to_finish(place)
    _remove_recorder(place)
    if problem is not None:
        raise ImptraceError(f"the recording is removed, but {problem}")


def _remove_dropins(place: RecordingFiles) -> None:
    if not place.dropins():
        return
    for dropin in place.dropins():
        dropin.unlink()
    if place.dropin_directory.is_dir() and not any(place.dropin_directory.iterdir()):
        place.dropin_directory.rmdir()
    place.manager.tell("daemon-reload")


def _remove_recorder(place: RecordingFiles) -> bool:
    """Remove the recorder, unless processes of the unit depend on it: then it leaves after them.

    Answer whether it is gone.
    """
    if not _becomes_true(lambda: not _is_alive(place), _LEAVE_SECONDS):
        if place.manager.show(place.recorder).get("ActiveState") == "active":
            return False
        place.manager.try_to("stop", place.recorder)  # it fails to start, again and again
    if _recorder_is_known(place):
        place.manager.try_to("reset-failed", place.recorder)
    shutil.rmtree(place.directory, ignore_errors=True)
    runtime = place.directory.parent
    if runtime.is_dir() and not any(path.is_dir() for path in runtime.iterdir()):
        shutil.rmtree(runtime, ignore_errors=True)
    return True


def _recorder_is_known(place: RecordingFiles) -> bool:
    return place.manager.show(place.recorder).get("LoadState") == "loaded"


def _is_alive(place: RecordingFiles) -> bool:
    state_now = place.manager.show(place.recorder).get("ActiveState")
    return state_now in ("active", "activating", "reloading")


def _is_active(place: RecordingFiles) -> bool:
    return place.manager.show(place.unit).get("ActiveState") in ("active", "activating")


def _listeners(place: RecordingFiles) -> int:
    """Count what PID 1 keeps for the recorder, without the page and the door."""
    kept = int(place.manager.show(place.recorder).get("NFileDescriptorStore", "0"))
    return max(0, kept - (2 if place.socket.exists() else 1))


def _becomes_true(is_so: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
