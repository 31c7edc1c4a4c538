"""The catalogue covers the facts that were gathered about NixOS services and configurations."""

import json
from pathlib import Path
from typing import Any

import pytest

from imptrace.catalogue import Entry, EntryPlace, KeptPath, shipped
from imptrace.facts.levels import Level

FACTS = Path(__file__).parents[3] / "shared" / "facts"
needs_facts = pytest.mark.skipif(not FACTS.exists(), reason=f"{FACTS} is not here")

STATELESS_HERE = {
    "/etc/alloy", "/etc/at", "/etc/avahi/services", "/etc/bind",
    "/etc/containers/networks/podman.json", "/etc/cups", "/etc/firewalld", "/etc/mailman.cfg",
    "/etc/nebula", "/etc/netbird", "/etc/netdata", "/etc/postfix", "/etc/unbound",
    "/etc/secureboot", "/nix", "/nix/var/nix/gcroots/hydra",
    "/nix/var/nix/profiles/per-container", "/opt/cni/bin", "/var/lib/discourse/tmp",
    "/var/lib/mailman-web-static", "/var/lib/postfix", "/var/lib/qemu",
}  # fmt: skip
"""Facts that are no state: written by NixOS, made again, or part of what is kept anyway."""


def services() -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = json.loads((FACTS / "nixos-services.json").read_text())[
        "services"
    ]
    return facts


def entry_of(service: dict[str, Any]) -> Entry:
    entry = shipped().get(service["id"].replace("_", "-"), EntryPlace.SERVICE)
    assert entry is not None, service["id"]
    return entry


@needs_facts
def test_every_service_has_an_entry_with_its_units() -> None:
    for service in services():
        for unit in service["units"]:
            name = unit.replace("<cert>", "c").replace("<name>", "n").replace("<n>", "1")
            found = shipped().matching(name.replace("<peer>", "p"), EntryPlace.SERVICE)
            assert entry_of(service) in found, unit


@needs_facts
def test_every_path_of_a_service_is_known() -> None:
    for service in services():
        entry = entry_of(service)
        for path in service["paths"]:
            if path["kind"] != "runtime" and path["path"] not in STATELESS_HERE:
                assert knows(entry, path.get("template", path["path"])), path["path"]


def knows(entry: Entry, path: str) -> bool:
    """Whether an entry, or one that it includes, keeps a path or something above or below it."""
    included = (shipped().get(each, entry.place) for each in entry.includes)
    for each in (entry, *filter(None, included)):
        for kept in (*each.persist, *each.instances, *each.shared):
            known = kept.path.decode()
            if f"{path}/".startswith(f"{known}/") or known.startswith(f"{path}/"):
                return True
    return False


@needs_facts
def test_every_secret_of_a_service_is_secret() -> None:
    for service in services():
        for path in service["paths"]:
            if path["kind"] == "secret" and path["path"] not in STATELESS_HERE:
                assert secret(entry_of(service), path.get("template", path["path"])), path["path"]


def secret(entry: Entry, path: str) -> bool:
    """Whether a path is kept as a secret, or what is secret in it is."""
    if any(
        each.level is Level.SECRET and each.path.decode().startswith(f"{path}/")
        for each in entry.persist
    ):
        return True
    kept = [
        kept
        for kept in (*entry.persist, *entry.instances, *entry.shared)
        if f"{path}/".startswith(f"{kept.path.decode()}/")
        or path in (elsewhere.decode() for elsewhere in kept.elsewhere)
    ]
    return max(kept, key=lambda each: len(each.path)).level is Level.SECRET


@needs_facts
def test_what_many_people_keep_is_known() -> None:
    counted = json.loads((FACTS / "persisted-paths.json").read_text())
    no_owner = {"/tmp", "/var/tmp", "/var/keys/secret_file"}
    assert unknown(counted["system"], EntryPlace.SERVICE, least=7) == no_owner
    missing = unknown(counted["home"], EntryPlace.HOME, least=5)
    users_own = {each["path"] for each in counted["home"] if each.get("class") == "user-data"}
    whole = {".", ".config", ".local", ".local/share", ".local/state", ".local/bin", ".var"}
    assert missing - users_own - whole <= {".screenrc", ".config/syncthingtray.ini"}


def unknown(counted: list[dict[str, Any]], place: EntryPlace, *, least: int) -> set[str]:
    """Paths that at least so many configurations keep, and that no entry keeps."""
    kept = [
        known.decode()
        for entry in shipped().of(place)
        for each in (*entry.persist, *entry.instances, *entry.shared)
        for known in (each.path, *each.elsewhere)
    ]
    return {
        each["path"]
        for each in counted
        if each["repos"] >= least
        and not any(
            f"{each['path']}/".startswith(f"{known}/") or known.startswith(f"{each['path']}/")
            for known in kept
        )
    }


@needs_facts
def test_every_count_is_that_of_the_path_or_of_its_other_places() -> None:
    counted = json.loads((FACTS / "persisted-paths.json").read_text())
    by_option = {each["option"]: each["repos"] for each in counted["by_option"]}
    for place, key in ((EntryPlace.SERVICE, "system"), (EntryPlace.HOME, "home")):
        repos: dict[str, int] = {}
        for each in counted[key]:
            repos[each["path"]] = max(each["repos"], repos.get(each["path"], 0))
        repos[".config/mozilla/firefox"] = repos.get(".mozilla", 0)  # the parent that most keep
        for entry in shipped().of(place):
            for kept in (*entry.persist, *entry.instances, *entry.shared):
                counts = [repos.get(path, 0) for path in places(kept)]
                if kept.follows and not kept.follows.suffix:
                    counts.append(by_option.get(kept.follows.option, 0))
                assert (kept.repos or 0) == max(counts), (entry.id, kept.path)


def places(kept: KeptPath) -> list[str]:
    """Every name of the same data; the link to a private directory too."""
    paths = [kept.path.decode(), *(path.decode() for path in kept.elsewhere)]
    return [*paths, *(path.replace("/private/", "/") for path in paths)]
