"""What a process that is followed from now on has open, and in memory, already."""

import os
from typing import TYPE_CHECKING

from imptrace.tracer import proc
from imptrace.tracer.events import AccessFlag, Op
from imptrace.tracer.native.ring import OPS

if TYPE_CHECKING:
    from imptrace.tracer._bpf import Machine


def tell_held(machine: "Machine", pid: int, image: int, tree: int = 0) -> None:
    """Tell it to the recording itself or, of a tree, to who listens to that."""

    def tell(op: Op, flag: AccessFlag, path: bytes) -> None:
        machine.held(image, OPS.index(op), int(flag), path, tree)

    for _, flags, path in proc.descriptors(pid):
        if path.startswith(b"/") and not path.endswith(b" (deleted)"):
            mode = flags & os.O_ACCMODE
            if mode != os.O_WRONLY:
                tell(Op.READ, AccessFlag.ALREADY_OPEN, path)
            if mode != os.O_RDONLY:
                tell(Op.WRITE, AccessFlag.ALREADY_OPEN, path)
    for path, writes in proc.mapped_files(pid):
        tell(Op.READ, AccessFlag.MAPPED, path)
        if writes:
            tell(Op.WRITE, AccessFlag.MAPPED, path)
