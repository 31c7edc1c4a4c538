# ruff: noqa: E501 (tables: a program a line reads best)
"""Programs for benchmarks.leaks: how they are used, or what they leave, and what of it to keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXk=\\n"
SQLITE = "SQLite format 3\\0"


@dataclass(frozen=True)
class Kept:
    """One path that must be kept, and which programs may be called its writer."""

    path: str
    level: str
    programs: tuple[str, ...]

    @property
    def program(self) -> str:
        """The program that it belongs to."""
        return self.programs[0]


@dataclass(frozen=True)
class Run:
    """A program that is really run."""

    needs: str
    script: str
    kept: tuple[Kept, ...]


@dataclass(frozen=True)
class Laid:
    """A program whose state is laid down as it leaves it: path to content and mode."""

    program: str
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()


def _run(needs: str, script: str, *kept: tuple[str, str], also: tuple[str, ...] = ()) -> Run:
    return Run(needs, script, tuple(Kept(path, level, (needs, *also)) for path, level in kept))


def _laid(program: str, *files: tuple[str, str, str, str], also: tuple[str, ...] = ()) -> Laid:
    """Take (path, content, mode, level); an empty level means that it need not be kept."""
    return Laid(
        program,
        {path: (content, mode) for path, content, mode, _ in files},
        tuple(Kept(path, level, (program, *also)) for path, _, _, level in files if level),
    )


RUN = (
    _run(
        "git",
        "git config --global user.name x; git config --global user.email x@example.org; git init -q /root/work; cd /root/work; echo a >a; git add a; git commit -qm a",
        ("/root/.gitconfig", "normal"),
        ("/root/work", "important"),
        also=("sh",),
    ),
    _run(
        "gpg",
        "gpg --batch --quiet --passphrase '' --quick-gen-key a@example.org default default never",
        ("/root/.gnupg/pubring.kbx", "important"),
        ("/root/.gnupg/private-keys-v1.d", "secret"),
        ("/root/.gnupg/openpgp-revocs.d", "secret"),
        also=("gpg-agent", "keyboxd"),
    ),
    _run("vim", "vim -es -c 'wviminfo!' -c q || true", ("/root/.viminfo", "normal"), also=("vim.basic",)),
    _run(
        "useradd",
        "useradd --create-home --uid 4711 tester",
        *((f"/etc/{name}", "normal") for name in ("passwd", "group", "subuid", "subgid")),
        ("/etc/shadow", "secret"),
        ("/etc/gshadow", "secret"),
        also=("nixos-users",),
    ),
    _run(
        "ssh-keygen",
        "mkdir -p -m 700 /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; "
        "rm -f /etc/ssh/ssh_host_*; ssh-keygen -A",
        ("/root/.ssh/id_ed25519", "secret"),
        *((f"/etc/ssh/ssh_host_{kind}_key", "secret") for kind in ("rsa", "ecdsa", "ed25519")),
        also=("ssh", "sshd"),
    ),
    _run(
        "sqlite3",
        "mkdir -p /var/lib/ledgerd; sqlite3 /var/lib/ledgerd/book 'create table t(x)'",
        ("/var/lib/ledgerd", "important"),
    ),
    _run("npm", "npm config set fund false", ("/root/.npmrc", "normal"), also=("node",)),
    _run("task", "yes | task add x", ("/root/.task", "important"), ("/root/.taskrc", "normal")),
    _run("hg", "hg init /root/hgwork; echo '[ui]\nusername=x' >/root/.hgrc", ("/root/.hgrc", "normal"), ("/root/hgwork", "important"), also=("dash", "python3.11")),
    _run("gnuplot", "echo 'set term dumb; plot x' | gnuplot >/dev/null; echo x >/root/.gnuplot_history", ("/root/.gnuplot_history", "normal"), also=("dash",)),
    _run("restic", "RESTIC_PASSWORD=x restic -q init --repo /srv/backup", ("/srv/backup", "important")),
    _run(
        "initdb",
        "mkdir -p /var/lib/postgresql/15; chown postgres /var/lib/postgresql/15; runuser -u postgres -- "
        "initdb -D /var/lib/postgresql/15/main",
        ("/var/lib/postgresql", "important"),
        also=("postgres",),
    ),
)  # fmt: skip

LAID = (
    _laid("NetworkManager",
          ("/etc/NetworkManager/system-connections/home.nmconnection", "[wifi-security]\\npsk=correct-horse\\n", "600", "secret"),
          ("/var/lib/NetworkManager/timestamps", "[timestamps]\\n", "644", "normal"),
          ("/var/lib/NetworkManager/NetworkManager.pid", "12\\n", "644", "")),
    _laid("redis-server", ("/var/lib/redis/dump.rdb", "REDIS0009", "640", "important")),
    _laid("tor", ("/var/lib/tor/state", "x", "600", "normal"), ("/var/lib/tor/keys/secret_id_key", KEY, "600", "secret"), ("/var/lib/tor/lock", "", "600", "")),
    _laid("bluetoothd", ("/var/lib/bluetooth/AA:BB/info", "[LinkKey]\\nKey=0123456789\\n", "600", "secret")),
    _laid("mysqld", ("/var/lib/mysql/ibdata1", "x", "660", "important"), ("/var/lib/mysql/mysql.sock.lock", "1\\n", "600", ""), also=("mariadbd",)),
    _laid("cupsd", ("/etc/cups/printers.conf", "<Printer x>\\n", "600", "normal")),
    _laid("dnsmasq", ("/var/lib/misc/dnsmasq.leases", "x\\n", "644", "normal")),
    _laid("logrotate", ("/var/lib/logrotate/status", "x\\n", "644", "normal")),
    _laid("firefox",
          ("/root/.config/mozilla/firefox/a.default/places.sqlite", SQLITE, "644", "important"),
          ("/root/.config/mozilla/firefox/a.default/key4.db", SQLITE, "600", "secret"),
          ("/root/.config/mozilla/firefox/a.default/prefs.js", "x", "600", "normal"),
          ("/root/.cache/mozilla/firefox/a.default/cache2/entries/0", "x", "600", "")),
    _laid("chromium",
          ("/root/.config/chromium/Default/Login Data", SQLITE, "600", "secret"),
          ("/root/.config/chromium/Default/Bookmarks", "{}", "600", "important"),
          ("/root/.config/chromium/SingletonLock", "x", "600", "")),
    _laid("thunderbird", ("/root/.thunderbird/x.default/prefs.js", "x", "600", "important")),
    _laid("keepassxc", ("/root/.config/keepassxc/keepassxc.ini", "x", "600", "normal"), ("/root/Passwords.kdbx", "\\003\\331\\242\\232", "600", "secret")),
    _laid("gnome-keyring-daemon", ("/root/.local/share/keyrings/login.keyring", "GnomeKeyring\\n\\r\\0\\n", "600", "secret")),
    _laid("fish", ("/root/.local/share/fish/fish_history", "- cmd: x\\n", "600", "normal")),
    _laid("steam", ("/root/.local/share/Steam/config/loginusers.vdf", "x", "644", "normal")),
    _laid("syncthing", ("/var/lib/syncthing/.config/syncthing/cert.pem", "x", "644", "secret"), ("/var/lib/syncthing/.config/syncthing/key.pem", KEY, "600", "secret")),
    _laid("grafana-server", ("/var/lib/grafana/data/grafana.db", SQLITE, "640", "important"), also=("grafana",)),
    _laid("acme", ("/var/lib/acme/example.org/key.pem", KEY, "640", "secret"), also=("lego",)),
    _laid("docker", ("/root/.docker/config.json", '{"auths": {}}', "600", "secret")),
    _laid("obscured", ("/var/lib/obscured/spool/1", "x", "600", "normal"), ("/etc/obscured/token", "token = abcdefgh\\n", "600", "secret")),
    _laid("notesy", ("/root/.config/notesy/settings.toml", "x", "644", "normal"), ("/root/.local/share/notesy/notes.db", SQLITE, "644", "important")),
    _laid("gamey", ("/root/.local/share/gamey/saves/slot1", "x", "644", "important")),
    _laid("sshagentx", ("/root/.sshagentx/identity", KEY, "600", "secret")),
)  # fmt: skip
