"""ptrace(2) as the ptrace recorder needs it: python-ptrace's binding, and what that lacks.

The only module that imports python-ptrace. Its debugger attaches with PTRACE_ATTACH, which sends
a real SIGSTOP and forgets that a process was stopped; so only its binding is used. Requests of
Linux 3.4 and 5.3 are added, which leave a tracee as it is (seize, interrupt, listen) or tell all
about a syscall in one question that is the same on all architectures.

Errors are OSErrors: ProcessLookupError if a tracee was killed or is not stopped,
PermissionError if it may not be traced.
"""

import os
from ctypes import Structure, addressof, c_int32, c_uint8, c_uint32, c_uint64, c_ulong, sizeof
from typing import ClassVar

from ptrace import PtraceError
from ptrace.binding import func as binding

WALL = 0x40000000
"""waitpid(2): threads too."""

# linux/ptrace.h
_SEIZE, _INTERRUPT, _LISTEN, _GET_SYSCALL_INFO = 0x4206, 0x4207, 0x4208, 0x420E
ENTRY = 1
"""SyscallInfo.op of a call that is about to be made."""

EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC = 1, 2, 3, 4
EVENT_STOP = 128
SYSCALL_STOP = (5 | 0x80) << 8 | 0x7F
"""The wait status of a tracee at the entry or exit of a call: SIGTRAP, marked by TRACESYSGOOD."""

OPTIONS: int = (
    binding.PTRACE_O_TRACESYSGOOD
    | binding.PTRACE_O_TRACEFORK
    | binding.PTRACE_O_TRACEVFORK
    | binding.PTRACE_O_TRACECLONE
    | binding.PTRACE_O_TRACEEXEC
)
"""Not EXITKILL: what is traced outlives its tracer."""


class SyscallInfo(Structure):
    """struct ptrace_syscall_info, for an entry; `result` lies where `nr` does, at an exit."""

    _fields_: ClassVar = [
        ("op", c_uint8),
        ("pad", c_uint8 * 3),
        ("arch", c_uint32),
        ("instruction_pointer", c_uint64),
        ("stack_pointer", c_uint64),
        ("nr", c_uint64),
        ("args", c_uint64 * 6),
        ("ret_data", c_uint32),
        ("reserved", c_int32),
    ]


def seize(tid: int) -> None:
    """Begin to trace a thread, which goes on running, and all that it will start."""
    _ptrace(_SEIZE, tid, 0, OPTIONS)


def interrupt(tid: int) -> None:
    """Let a thread stop soon, with EVENT_STOP."""
    _ptrace(_INTERRUPT, tid)


def listen(tid: int) -> None:
    """Leave a thread stopped, as a signal has asked for, until it is continued."""
    _ptrace(_LISTEN, tid)


def go_on(tid: int, signal: int = 0) -> None:
    """Let a stopped thread run, with `signal` delivered, to its next call's entry or exit."""
    _ptrace(binding.PTRACE_SYSCALL, tid, 0, signal)


def event_message(tid: int) -> int:
    """Ask what the event is about: the new child's id, or the id before an exec."""
    message = c_ulong()  # python-ptrace's own function has room for half of it
    _ptrace(binding.PTRACE_GETEVENTMSG, tid, 0, addressof(message))
    return message.value


def read_syscall(tid: int, info: SyscallInfo) -> None:
    """Ask for the call at whose entry or exit a thread is."""
    _ptrace(_GET_SYSCALL_INFO, tid, sizeof(info), addressof(info))


def _ptrace(request: int, tid: int, address: int = 0, data: int = 0) -> None:
    try:
        binding.ptrace(request, tid, address, data)
    except PtraceError as error:
        raise OSError(error.errno, os.strerror(error.errno)) from None
