"""A small system in a directory, for what looks at whole file systems."""

import os
from pathlib import Path

PRIVATE_KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n"


class System:
    """Files below a directory that stands for the root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for directory in ("etc", "var/lib", "var/cache", "var/log", "home/alice", "tmp"):
            (root / directory).mkdir(parents=True)
        (root / "etc/passwd").write_text(
            "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"
        )

    def put(self, path: str | bytes, content: bytes = b"content\n", mode: int = 0o644) -> bytes:
        """Write a file, and make its directories; answer its path."""
        path = os.fsencode(path)
        real = os.fsencode(self.root) + path
        os.makedirs(os.path.dirname(real), exist_ok=True)
        with open(real, "wb") as file:
            file.write(content)
        os.chmod(real, mode)
        return path
