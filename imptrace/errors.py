"""Errors that a user can meet, each with the exit code that the command ends with.

ImptraceError            125   imptrace itself failed
├── UsageError             2   wrong usage, or something named that is not there
├── ProgramNotFoundError 127   the program to run does not exist
└── ProgramNotExecutableError 126   it exists and cannot be executed

The message is one line that says what is wrong and what to do. Only `imptrace.cli.messages`
turns an error into text and an exit code.
"""

from typing import ClassVar


class ImptraceError(Exception):
    """Something that imptrace was asked for cannot be done."""

    exit_code: ClassVar[int] = 125


class UsageError(ImptraceError):
    """The command line is wrong, or names a run, program, service or file that is not there."""

    exit_code = 2


class ProgramNotFoundError(ImptraceError):
    """The program to run does not exist."""

    exit_code = 127


class ProgramNotExecutableError(ImptraceError):
    """The program to run exists and cannot be executed."""

    exit_code = 126
