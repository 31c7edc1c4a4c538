from collections.abc import Sequence
from typing import final

@final
class Recording:
    @property
    def supervisor(self) -> int: ...
    @property
    def program(self) -> int: ...
    def read(self, timeout_ms: int, /) -> bytes: ...
    def leave(self) -> None: ...
    def close(self) -> None: ...

def launch(
    path: bytes,
    argv: list[bytes],
    environ: list[bytes],
    *,
    user: tuple[int, int, list[int]] | None,
    blocked_signals: Sequence[int],
    stats: bool,
    writes_only: bool,
    io_uring: bool,
    adopt_orphans: bool,
    privileged: bool,
    start_ns: int,
    ring_size: int,
) -> Recording: ...
def serve(
    door: int,
    unit: str,
    adopted: list[int],
    page: int,
    *,
    user_manager: bool,
    stats: bool,
    writes_only: bool,
    io_uring: bool,
    privileged: bool,
    start_ns: int,
    ring_size: int,
) -> Recording: ...
def layout() -> dict[str, int]: ...
def calls() -> list[tuple[str, int, int, int]]: ...
