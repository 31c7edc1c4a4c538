"""The catalogue: what is known about the state of services and programs before any recording.

One TOML file per entry in `nix/services` and `nix/home` (docs/catalogue.md), read here for
Python and by nix/ for Nix. `shipped()` answers with the one that is installed.
"""

from imptrace.catalogue.catalogue import Catalogue, load, shipped
from imptrace.catalogue.dumps import dump_commands
from imptrace.catalogue.model import (
    CatalogueError,
    Entry,
    EntryPlace,
    Follows,
    KeptPath,
    NeverPath,
    NeverWhy,
    Written,
)

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Entry",
    "EntryPlace",
    "Follows",
    "KeptPath",
    "NeverPath",
    "NeverWhy",
    "Written",
    "dump_commands",
    "load",
    "shipped",
]
