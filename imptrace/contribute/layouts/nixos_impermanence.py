"""The layout of nixos-impermanence: `nixos-modules/NAME/persistence.nix`, entered in the flake."""

from imptrace.catalogue.model import EntryPlace
from imptrace.contribute.git import FileChange
from imptrace.contribute.layouts import flake_entry
from imptrace.contribute.layouts.module_edit import declared_paths, extend_module, options_of
from imptrace.contribute.layouts.module_new import new_module
from imptrace.contribute.nix_source.check import check_nix, formatted
from imptrace.contribute.proposal import Change, Proposal, merge, shown
from imptrace.contribute.repository import CommittedFiles, RepositoryError

FLAKE = "flake.nix"
FILE = "persistence.nix"


class ImpermanenceLayout:
    """Writes a NixOS module for each service."""

    name = "nixos-impermanence"
    looked_for = f"{FLAKE} with nixosModules, and {flake_entry.FOLDER}/NAME/{FILE}"

    def __init__(self, snapshot: CommittedFiles) -> None:
        self._snapshot = snapshot

    @classmethod
    def fits(cls, snapshot: CommittedFiles) -> bool:
        """Whether a repository has this layout."""
        return FLAKE in snapshot.entries and bool(_modules(snapshot))

    def plan(self, proposal: Proposal) -> Change:
        """Write or extend the service's module, and enter it in the flake."""
        if proposal.place is EntryPlace.HOME:
            raise RepositoryError(
                f"{shown(proposal.service)} is a program of a home directory, and this repository "
                "holds modules of NixOS services"
            )
        path = self._existing(proposal) or _module_path(proposal.service)
        old = self._snapshot.read(path)
        declared = [] if old is None else declared_paths(old, path, proposal.option)
        merged = merge(declared, proposal.paths, nests=False)
        module = old
        if merged.added:
            neighbours = self._neighbours(path)
            if old is None:
                module = new_module(proposal, merged.added, neighbours)
            else:
                module = extend_module(old, path, proposal.option, merged.added)
            module = formatted(module, old, neighbours)
        files = [self._change(path, module)] if module is not None and module != old else []
        if module is not None:
            files += self._flake_change(path)
        return Change(
            files=tuple(files),
            is_new=old is None,
            added=merged.added,
            unobserved=merged.unobserved,
            other_levels=merged.other_levels,
            held_back=merged.held_back,
        )

    def _existing(self, proposal: Proposal) -> str | None:
        """Find the module that has the service's option, under whatever name."""
        for path in _modules(self._snapshot):
            if proposal.option in options_of(self._snapshot.read(path) or b"", path):
                return path
        path = _module_path(proposal.service)
        source = self._snapshot.read(path)
        if source is not None:
            options = ", ".join(options_of(source, path)) or "no option"
            raise RepositoryError(
                f"{shown(path)} declares the persistence of {options}, not of {proposal.option}: "
                "give the right one with --option"
            )
        return None

    def _neighbours(self, path: str) -> list[bytes]:
        others = [other for other in _modules(self._snapshot) if other != path]
        return [self._snapshot.read(other) or b"" for other in others]

    def _flake_change(self, module_path: str) -> list[FileChange]:
        old = self._snapshot.read(FLAKE) or b""
        module = _module_name(module_path)
        new = flake_entry.add_module(old, FLAKE, module)
        return [] if new == old else [self._change(FLAKE, formatted(new, old, []))]

    def _change(self, path: str, content: bytes) -> FileChange:
        check_nix(path, content)
        return FileChange(path, content)


def _modules(snapshot: CommittedFiles) -> list[str]:
    """List the modules, one folder each."""
    paths = snapshot.paths(f"{flake_entry.FOLDER}/", f"/{FILE}")
    return [path for path in paths if path == _module_path(_module_name(path))]


def _module_name(path: str) -> str:
    return path.split("/")[1]


def _module_path(service: str) -> str:
    return f"{flake_entry.FOLDER}/{service}/{FILE}"
