"""`imptrace` as a process of its own, without the half second in which Python imports it.

The first call starts a process that imports all commands and waits; every call is a fork of it with
arguments, environment, directory and descriptors of its own. Tests that are about the start of the
installed command (locales, terminals, closed descriptors, other users, time) start that instead.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from imptrace.catalogue.catalogue import shipped
from imptrace.cli.main import main

Word = str | bytes | Path
Done = subprocess.CompletedProcess[str]
IMPTRACE = Path(sys.executable).with_name("imptrace")
PATIENCE = 60
"""Seconds after which a command counts as hung."""
_NUMBER = struct.Struct("=i")


def run(
    *words: Word,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = PATIENCE,
) -> subprocess.CompletedProcess[bytes]:
    """Run `imptrace` with these words; what it says is captured."""
    request = {
        "words": [os.fsencode(word).hex() for word in words],
        "directory": os.fspath(cwd or Path.cwd()),
        "variables": {
            os.fsencode(name).hex(): os.fsencode(value).hex()
            for name, value in (os.environ if env is None else env).items()
        },
    }
    server = _server()
    out, err = os.pipe(), os.pipe()
    pid = _ask(server, json.dumps(request).encode(), [_source(stdin), out[1], err[1]])
    said, is_whole = _read([out[0], err[0]], timeout)
    if not is_whole:
        os.kill(pid, signal.SIGKILL)
    os.close(out[0])
    os.close(err[0])
    code = _number(server)
    if not is_whole:
        raise subprocess.TimeoutExpired([IMPTRACE, *words], timeout, *said)
    return subprocess.CompletedProcess([IMPTRACE, *words], code, *said)


def run_text(
    *words: Word,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = PATIENCE,
) -> Done:
    """Run `imptrace` with these words; what it says is captured as text."""
    done = run(*words, cwd=cwd, env=env, stdin=stdin.encode(), timeout=timeout)
    said = (done.stdout.decode(), done.stderr.decode())
    return subprocess.CompletedProcess(done.args, done.returncode, *said)


def _source(text: bytes) -> int:
    """Give a descriptor to read it from: a pipe where there is any, as from `echo y |`."""
    if not text:
        return os.open(os.devnull, os.O_RDONLY)
    read_end, write_end = os.pipe()
    with open(write_end, "wb", buffering=0) as pipe:
        # More than a pipe holds would wait here for somebody to read it.
        assert pipe.write(text) == len(text)
    return read_end


def _ask(server: socket.socket, request: bytes, descriptors: list[int]) -> int:
    """Have a command started; returns its number."""
    socket.send_fds(server, [_NUMBER.pack(len(request))], descriptors)
    server.sendall(request)
    for each in descriptors:
        os.close(each)
    return _number(server)


def _read(pipes: list[int], timeout: float) -> tuple[list[bytes], bool]:
    """Read them to their ends; tells also whether it came to these in time."""
    said = {pipe: bytearray() for pipe in pipes}
    until = time.monotonic() + timeout
    with selectors.DefaultSelector() as still_open:
        for pipe in pipes:
            still_open.register(pipe, selectors.EVENT_READ)
        while still_open.get_map():
            ready = still_open.select(max(until - time.monotonic(), 0))
            if not ready and time.monotonic() >= until:
                break
            for key, _ in ready:
                part = os.read(key.fd, 65536)
                said[key.fd] += part
                if not part:
                    still_open.unregister(key.fd)
        is_whole = not still_open.get_map()
    return [bytes(said[pipe]) for pipe in pipes], is_whole


def _number(connection: socket.socket) -> int:
    answer = connection.recv(_NUMBER.size, socket.MSG_WAITALL)
    assert len(answer) == _NUMBER.size, "the process that is forked has ended"
    number: int = _NUMBER.unpack(answer)[0]
    return number


@cache
def _server() -> socket.socket:
    """Start the process that is forked; it ends when this end of the connection does."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    # In the other order.
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _serve(connection: socket.socket) -> None:
    """Fork for each request; returns in each fork, and at the end of the connection."""
    import_all()
    shipped()
    gc.freeze()
    while True:
        header, descriptors, _, _ = socket.recv_fds(connection, _NUMBER.size, 3)
        if not header:
            sys.exit()
        request = connection.recv(_NUMBER.unpack(header)[0], socket.MSG_WAITALL)
        pid = os.fork()
        if not pid:
            connection.close()
            _become(json.loads(request), descriptors)
            return
        for each in descriptors:
            os.close(each)
        connection.sendall(_NUMBER.pack(pid))
        _, status = os.waitpid(pid, 0)
        connection.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def import_all() -> None:
    """Import every command, and what it does."""
    for name in ("imptrace.cli", "imptrace.cli.work"):
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    with contextlib.suppress(ModuleNotFoundError):
        # Some versions of typer have it, and import it when a command is called.
        importlib.import_module("typer._adapters")


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Be as if this process had been started so."""
    for number, each in enumerate(descriptors):
        os.dup2(each, number)
        os.close(each)
    # Those that were made at the start remember what they stood for then.
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8")
    err = io.BufferedWriter(io.FileIO(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(err, "utf-8", "backslashreplace", line_buffering=True)
    os.chdir(request["directory"])
    os.environb.clear()
    for name, value in request["variables"].items():
        os.environb[bytes.fromhex(name)] = bytes.fromhex(value)
    time.tzset()
    sys.argv = [str(IMPTRACE), *(os.fsdecode(bytes.fromhex(word)) for word in request["words"])]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    main()
