"""The catalogue agrees with what was found by running real programs.

The literals are judgements of those runs on Debian; where the whole collection of examples is at
hand it is asked as well.
"""

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from imptrace.catalogue import Entry, EntryPlace, shipped
from imptrace.facts.levels import Level

EXAMPLES = Path(__file__).parents[3] / "shared" / "examples" / "programs.json"
HOME = "/home/alice/"

PERSIST = [
    ("logrotate", "/var/lib/logrotate/status", "normal"),
    ("sshd", "/etc/ssh/ssh_host_ed25519_key", "secret"),
    ("sshd", "/etc/ssh/ssh_host_ecdsa_key", "secret"),
    ("sshd", "/etc/ssh/ssh_host_rsa_key.pub", "normal"),
    ("sshd", "/var/log/wtmp", "normal"),
    ("sudo", "/var/lib/sudo/lectured", "normal"),
    ("networkmanager", "/var/lib/NetworkManager", "normal"),
    ("networkmanager", "/etc/NetworkManager/system-connections", "secret"),
    ("dnsmasq", "/var/lib/misc/dnsmasq.leases", "normal"),
    ("postgresql", "/var/lib/postgresql", "important"),
    ("redis", "/var/lib/redis", "important"),
    ("nginx", "/var/cache/nginx", "transient"),
    ("nginx", "/var/log/nginx", "normal"),
    ("tor", "/var/lib/tor/state", "normal"),
    ("tor", "/var/lib/tor/keys", "secret"),
    ("wpa_supplicant", "/etc/wpa_supplicant/it.conf", "secret"),
    ("git", "/home/alice/.gitconfig", "normal"),
    ("git", "/home/alice/.git-credentials", "secret"),
    ("gpg", "/home/alice/.gnupg/private-keys-v1.d", "secret"),
    ("vim", "/home/alice/.viminfo", "normal"),
    ("bash", "/home/alice/.bash_history", "normal"),
    ("dconf", "/home/alice/.config/dconf/user", "normal"),
    ("direnv", "/home/alice/.local/share/direnv/allow", "normal"),
    ("firefox", "/home/alice/.cache/mozilla", "transient"),
    ("firefox", "/home/alice/.config/mozilla/firefox", "normal"),
    ("firefox", "/home/alice/.config/mozilla/firefox/x.default-esr/places.sqlite", "important"),
    ("firefox", "/home/alice/.config/mozilla/firefox/x.default-esr/key4.db", "secret"),
    ("firefox", "/home/alice/.mozilla/firefox/x.default/key4.db", "secret"),
]

EXACTLY = [
    ("kmail", ".config/akonadi/agentsrc", "normal"),
    ("kmail", ".config/akonadi_imap_resource_0rc", "normal"),
    ("kmail", ".config/emailidentities", "normal"),
    ("kmail", ".local/share/local-mail/inbox", "important"),
    ("digikam", ".config/digikamrc", "normal"),
    ("okular", ".local/share/okular/docdata/1.paper.pdf.xml", "important"),
    ("okular", ".config/okularpartrc", "normal"),
    ("steam", ".local/share/Steam/steamapps/compatdata/1/pfx/drive_c/save", "important"),
    ("steam", ".local/share/Steam/userdata/1/config", "important"),
    ("steam", ".local/share/Steam/config/loginusers.vdf", "secret"),
    ("steam", ".local/share/Steam/steamapps/common/game", "normal"),
    ("k9s", ".local/share/k9s/clusters", "normal"),
    ("helm", ".config/helm/registry/config.json", "secret"),
    ("helm", ".cache/helm/repository", "transient"),
    ("R", "R/x86_64-pc-linux-gnu-library/4.3/abc", "normal"),
    ("R", ".Renviron", "secret"),
    ("chromium", ".config/chromium/Default/Login Data For Account", "secret"),
    ("google-chrome", ".config/google-chrome/Default/Login Data For Account", "secret"),
    ("brave", ".config/BraveSoftware/Brave-Browser/Default/GPUCache/data_0", "transient"),
    ("vivaldi", ".config/vivaldi/Default/Service Worker/CacheStorage/a", "transient"),
    ("chromium", ".config/chromium/GrShaderCache/data_0", "transient"),
    ("firefox", ".config/mozilla/firefox/x.default/datareporting/state.json", "transient"),
    ("code", ".config/Code/CachedExtensionVSIXs/a", "transient"),
    ("code", ".config/Code/Backups/a", "important"),
    ("code", ".config/Code/User/globalStorage/state.vscdb", "secret"),
    ("code", ".config/Code/User/settings.json", "normal"),
    ("slack", ".config/Slack/Code Cache/js", "transient"),
    ("slack", ".config/Slack/Local Storage/leveldb", "secret"),
    ("slack", ".config/Slack/Preferences", "normal"),
    ("mise", ".local/share/mise/installs/node/22", "normal"),
    ("mise", ".cache/mise/node", "transient"),
    ("task", ".task/taskchampion.sqlite3", "important"),
    ("transmission-gtk", ".config/transmission/resume/a.resume", "important"),
    ("transmission-remote-gtk", ".config/transmission-remote-gtk/config.json", "secret"),
    ("podman", ".config/containers/podman-connections.json", "normal"),
    ("podman", ".local/share/containers/storage/secrets/filedriver", "secret"),
    ("mysql-client", ".mylogin.cnf", "secret"),
    ("claude", ".claude/projects/a.jsonl", "important"),
    ("codex", ".codex/sessions/a.jsonl", "important"),
    ("bw", ".config/Bitwarden CLI/data.json", "secret"),
    ("qbittorrent-nox", ".local/share/qBittorrent/BT_backup/a.fastresume", "important"),
    ("deluge", ".config/deluge/state/torrents.state", "important"),
    ("go", "go/bin/gopls", "normal"),
    ("go", "go/pkg/mod", "transient"),
    ("syncthing", ".local/state/syncthing/key.pem", "secret"),
    ("syncthing", ".config/syncthing/index-v0.14.0.db/1.ldb", "transient"),
]
"""Levels that were wrong, or that a directory's own level would hide."""

NEVER = [
    ("logrotate", "/var/lib/logrotate/status.tmp"),
    ("networkmanager", "/var/lib/NetworkManager/timestamps.A1B2C3"),
    ("postgresql", "/var/lib/postgresql/15/it/postmaster.pid"),
    ("redis", "/var/lib/redis/temp-17.rdb"),
    ("nginx", "/var/lib/nginx/proxy"),
    ("tor", "/var/lib/tor/lock"),
    ("wpa_supplicant", "/etc/wpa_supplicant/it.conf.tmp"),
    ("git", "/home/alice/.gitconfig.lock"),
    ("gpg", "/home/alice/.gnupg/S.gpg-agent.ssh"),
    ("gpg", "/home/alice/.gnupg/.#lk0x1"),
    ("gpg", "/home/alice/.gnupg/random_seed"),
    ("vim", "/home/alice/.notes.txt.swp"),
    ("vim", "/home/alice/.viminfo.tmp"),
    ("dconf", "/home/alice/.config/dconf/user.A1B2C3"),
    ("firefox", "/home/alice/.config/mozilla/firefox/x.default-esr/lock"),
    ("firefox", "/home/alice/.config/mozilla/firefox/x.default-esr/places.sqlite-wal"),
]

NOT_THE_PROGRAMS_OWN = (
    "/home/alice/src", "/home/alice/x", "/home/alice/x.gpg", "/home/alice/notes.txt",
    "/home/alice/notes.txt~", "/home/alice/.notes.txt.un~", "/home/alice/p", "/var/log/itapp",
    "/home/alice/.cache/fontconfig", "/home/alice/.cache/dconf", "/var/lib/tor/hs",
)  # fmt: skip
"""What users or other programs own: no entry of the example's program knows it."""


def verdict(program: str, path: str) -> Level | None:
    """Ask the entries of a program about a path: the longest match wins, None is `never`.

    Raises `LookupError` where they know nothing about the path.
    """
    found = max(
        (match for entry in entries_of(program) for match in matches(entry, path)),
        key=lambda match: (match[0].count("/"), len(match[0])),
        default=None,
    )
    if found is None:
        raise LookupError(path)
    return found[1]


def entries_of(program: str) -> Iterable[Entry]:
    return shipped().all_meant(program)


def matches(entry: Entry, path: str) -> Iterator[tuple[str, Level | None]]:
    prefix = HOME if entry.place is EntryPlace.HOME else ""
    for kept in (*entry.persist, *entry.instances, *entry.shared):
        for known in (kept.path, *kept.elsewhere):
            if covers(pattern := prefix + known.decode(), path):
                yield pattern, kept.level
    for never in entry.never:
        if covers(pattern := prefix + never.path.decode(), path):
            yield pattern, None


def covers(pattern: str, path: str) -> bool:
    """Whether `path` is what `pattern` names, or lies below it."""
    wanted, parts = pattern.split("/"), path.split("/")
    return len(wanted) <= len(parts) and all(map(fnmatchcase, parts, wanted))


@pytest.mark.parametrize(("program", "path", "level"), PERSIST)
def test_what_must_persist_is_covered_with_enough_care(program: str, path: str, level: str) -> None:
    found = verdict(program, path)
    assert found is not None
    assert found >= Level(level)


@pytest.mark.parametrize(("program", "path", "level"), EXACTLY)
def test_a_part_of_a_home_has_exactly_its_level(program: str, path: str, level: str) -> None:
    assert verdict(program, HOME + path) == Level(level)


@pytest.mark.parametrize(("program", "path"), NEVER)
def test_what_must_not_persist_is_never_kept(program: str, path: str) -> None:
    assert verdict(program, path) is None


@pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{EXAMPLES} is not here")
def test_every_example_agrees() -> None:
    for example in json.loads(EXAMPLES.read_text()):
        for level, paths in example["persist"].items():
            for path in set(paths) - set(NOT_THE_PROGRAMS_OWN):
                found = verdict(example["id"], path)
                assert found is not None, path
                assert found >= Level(level), path
        for path in example["never"]:
            assert is_left_alone(example["id"], path), path


def is_left_alone(program: str, path: str) -> bool:
    """Whether a program's entries either know a path as `never`, or not at all."""
    try:
        return verdict(program, path.replace("*", "X")) is None
    except LookupError:
        return True
