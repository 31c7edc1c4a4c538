"""The drop-in that puts the shim before every command of a unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imptrace.record.service.execline import EXEC_KEYS, ExecLine, quote, rewrite, wrap
from imptrace.record.service.sandbox import Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class DropinPlan:
    """What the drop-in of one unit holds."""

    unit: str
    undo: str
    """The command that takes it back, for whoever finds the file."""
    shim: str
    socket: str
    recorder: str
    """The recorder's unit, which must outlive this one at shutdown."""
    identifier: str | None
    """The name of the unit's messages in the journal, specifiers unexpanded; None: it has one."""
    patience_ms: int
    """How long the shim waits for the recorder, at most, each of two times."""
    lines: Mapping[str, Sequence[ExecLine]]
    """By key, programs as absolute paths."""
    allowance: Allowance


def render(plan: DropinPlan) -> str:
    """Write the drop-in."""
    out = [
        f"# imptrace records what {plan.unit} touches. To undo: {plan.undo}",
        "[Unit]",
        f"After={plan.recorder}",
        "",
        "[Service]",
    ]
    for key in EXEC_KEYS:
        if lines := plan.lines.get(key):
            out.append(f"{key}=")
            out += [f"{key}={_command(plan, line)}" for line in lines]
    if plan.identifier is not None:
        out.append(f"SyslogIdentifier={quote(plan.identifier)}")
    out += [each.directive for each in plan.allowance.adjustments]
    return "\n".join([*out, ""])


def _command(plan: DropinPlan, line: ExecLine) -> str:
    if line.runs_in_shell:
        return rewrite(line)
    # A privileged line keeps the capabilities that the sandbox was never applied to.
    lent = (plan.allowance.drop_bounding, plan.allowance.drop_ambient)
    bounding, ambient = (0, 0) if line.is_privileged else lent
    return wrap(
        line,
        [plan.shim, plan.socket, *(f"{each:x}" for each in (bounding, ambient, plan.patience_ms))],
    )
