"""What was moved into a store, written into the store itself: for `--undo`, and to go on."""

import base64
import json
import os
from dataclasses import dataclass, field
from hashlib import blake2b

from imptrace.errors import ImptraceError
from imptrace.facts.given import read_given
from imptrace.kept.move.tree import MovedTree

NAME = b".imptrace-move"
_MODE = 0o700


@dataclass(slots=True)
class Journal:
    """The copies that are ours, each with the state in which it was left, and units to start."""

    storage: bytes
    copies: dict[bytes, list[str]] = field(default_factory=dict)
    """Path without the store, and the fingerprint of what was copied; two while it is put there."""
    made: list[bytes] = field(default_factory=list)
    """Directories of the store that were made to hold copies, outermost first."""
    stopped: list[str] = field(default_factory=list)
    """Units that were running, and are to be started again."""

    def save(self) -> None:
        """Write it in one step. Raises OSError."""
        directory = os.path.join(self.storage, NAME)
        os.makedirs(directory, _MODE, exist_ok=True)
        text = json.dumps(
            {
                "copies": {_coded(path): marks for path, marks in self.copies.items()},
                "made": [_coded(path) for path in self.made],
                "stopped": self.stopped,
            }
        )
        new = os.path.join(directory, b"journal.new")
        with open(new, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(new, os.path.join(directory, b"journal"))

    def drop(self) -> None:
        """Remove it, and its directory. Raises OSError."""
        directory = os.path.join(self.storage, NAME)
        for name in os.listdir(directory) if os.path.isdir(directory) else ():
            os.unlink(os.path.join(directory, name))
        if os.path.isdir(directory):
            os.rmdir(directory)


def load(storage: bytes) -> Journal:
    """Read the journal of a store; an empty one where nothing was moved yet."""
    path = os.path.join(storage, NAME, b"journal")
    try:
        found = json.loads(read_given(path).decode("ascii"))
        return Journal(
            storage,
            {_decoded(name): list(map(str, marks)) for name, marks in found["copies"].items()},
            [_decoded(name) for name in found["made"]],
            [str(unit) for unit in found["stopped"]],
        )
    except FileNotFoundError:
        return Journal(storage)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ImptraceError(f"{os.fsdecode(path)} cannot be read: {error}") from error


def fingerprint(tree: MovedTree) -> str:
    """Tell one state of a tree from every other: whatever is changed later changes it."""
    found = blake2b(digest_size=16)
    for name, node in sorted(tree.nodes.items()):
        found.update(repr((name, node.traits)).encode())
    return found.hexdigest()


def _coded(path: bytes) -> str:
    return base64.b64encode(path).decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
