"""The drop-in wraps every command, and takes back what it must."""

from imptrace.record.service.dropin import DropinPlan, render
from imptrace.record.service.execline import parse_exec_value
from imptrace.record.service.sandbox import Adjustment, Allowance


def test_a_whole_drop_in() -> None:
    """Each key is reset first; `+` keeps its capabilities; what runs in a shell is left alone."""
    lines = {
        "ExecStart": parse_exec_value("-/bin/a $X"),
        "ExecStartPre": parse_exec_value("+/bin/b ; |@/bin/c d e"),
    }
    plan = DropinPlan(
        unit="x.service",
        undo="imptrace service reset x.service",
        shim="/run/imptrace/shim",
        socket="/run/imptrace/x/socket",
        recorder="imptrace-record-x.service",
        identifier="a 100%%",
        patience_ms=2500,
        lines=lines,
        allowance=Allowance(
            (Adjustment("AmbientCapabilities=CAP_SYS_ADMIN", "lent"),), 0x100, 0x200000
        ),
    )
    assert (
        render(plan)
        == """\
# imptrace records what x.service touches. To undo: imptrace service reset x.service
[Unit]
After=imptrace-record-x.service

[Service]
ExecStartPre=
ExecStartPre=+/run/imptrace/shim /run/imptrace/x/socket 0 0 9c4 /bin/b /bin/b
ExecStartPre=|@/bin/c d e
ExecStart=
ExecStart=-/run/imptrace/shim /run/imptrace/x/socket 100 200000 9c4 /bin/a /bin/a $X
SyslogIdentifier="a 100%%"
AmbientCapabilities=CAP_SYS_ADMIN
"""
    )
