"""How much care, by principle: what raises too much, what raised too little, what is nobody's."""

import pytest

from imptrace.judge.model import Kind, Level, Why
from tests.judge.factory import advice, created, file, made, modified, recommended, run

HOME = b"/home/alice"
DATA = HOME + b"/.local/share/keeper"
CACHE = HOME + b"/.cache/keeper"


def level(path: bytes, *, mode: int = 0o644, hint: str | None = None) -> Level:
    """Tell the level of the one thing that is kept for the sake of `path`."""
    (found,) = recommended(run(created(path, after=file(mode=mode), hint=hint))).values()
    return found.level


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (DATA + b"/env/site-packages/net/auth.py", "credentials"),
        (DATA + b"/node_modules/x/README.md", "credentials"),
        (DATA + b"/node_modules/x/test/server.key", "private-key"),
        (DATA + b"/completions/tool-key-export", None),
        (DATA + b"/generated_completions/clusterdb.fish", None),
        (DATA + b"/undo/%home%alice%notes.txt", None),
        (DATA + b"/docs/passwords.txt", None),
        (DATA + b"/history.db", "sqlite"),
        (DATA + b"/search-index.sqlite", "sqlite"),
        (HOME + b"/.keeper_sqlite_history", None),
        (HOME + b"/project/.keeper_history", None),
        (HOME + b"/.keeper-settings.xml", None),
        (b"/var/lib/keeper/logs.db", "sqlite"),
        (b"/var/lib/keeper/netstat.db", "sqlite"),
    ],
)
def test_what_says_nothing_of_its_directory(path: bytes, hint: str | None) -> None:
    """Other people's names and code, and databases of what happened."""
    assert level(path, hint=hint) is Level.NORMAL


@pytest.mark.parametrize(
    ("path", "mode", "hint", "expected"),
    [
        (CACHE + b"/lib/token.json", 0o644, "credentials", Level.TRANSIENT),
        (CACHE + b"/a/No_Vary_Search/journal.baj", 0o644, None, Level.TRANSIENT),
        (CACHE + b"/TrustTokenKeyCommitments/x", 0o644, None, Level.TRANSIENT),
        (CACHE + b"/token", 0o600, "credentials", Level.SECRET),
        (CACHE + b"/root-anchors.xml", 0o644, None, Level.NORMAL),
        (CACHE + b"/history", 0o644, None, Level.NORMAL),
    ],
)
def test_a_cache(path: bytes, mode: int, hint: str | None, expected: Level) -> None:
    """Copies of what is public, unless its own mode says otherwise; some cannot be made again."""
    assert level(path, mode=mode, hint=hint) is expected


@pytest.mark.parametrize(
    "path",
    [
        HOME + b"/.ledge.journal",
        HOME + b"/.keeper.xml",
        HOME + b"/.task/pending.data",
        HOME + b"/.times/data/2026-11.data",
        DATA + b"/saves/1",
        b"/var/lib/keeper/accounts/bob",
        b"/var/lib/keeper/silences",
        b"/var/spool/keeper/deferred/A1",
        b"/var/spool/cron/crontabs/bob",
        b"/var/spool/cron/tabs/bob",
        b"/var/spool/cron/root",
        b"/var/spool/keepcron/bob",
        b"/var/lib/keeper/data.sqlite",
    ],
)
def test_what_nobody_can_make_again(path: bytes) -> None:
    """Whether it is a database or text that was typed."""
    assert level(path) is Level.IMPORTANT


def test_a_database_that_is_called_a_log_is_looked_up_again() -> None:
    """In a home: what programs log for themselves is text there."""
    assert level(DATA + b"/logs.db", hint="sqlite") is Level.IMPORTANT


@pytest.mark.parametrize(
    "path",
    [
        DATA + b"/logs/net/#room.log",
        DATA + b"/data/2026-11.txt",
        DATA + b"/feeds.opml",
        DATA + b"/bookmarks.html",
        HOME + b"/.keeper/tasks.data",
        b"/var/lib/keeper/cpu.wsp",
        b"/var/cache/rkeepersnapshot/daily.0/etc/hosts",
    ],
)
def test_what_was_said_written_or_saved(path: bytes) -> None:
    """Alone in its directory, so that nothing else tells what that is for."""
    assert level(path) is Level.IMPORTANT


@pytest.mark.parametrize(
    "path", [DATA + b"/history/2026-11.json", b"/var/lib/keeper/lease.data", DATA + b"/index.html"]
)
def test_dates_and_data_of_programs(path: bytes) -> None:
    """A log by another word, a service's own file, and a page."""
    assert level(path) is Level.NORMAL


def test_a_bare_repository_is_worth_more_than_what_is_beside_it() -> None:
    """`settings.git` is no clone of another, as a `.git` in a directory of plug-ins is."""
    bare = [
        created(DATA + b"/settings.git/" + name)
        for name in (b"HEAD", b"objects/1", b"refs/heads/x")
    ]
    alone = recommended(run(made(DATA), *bare))
    assert {each.level for each in alone.values()} == {Level.IMPORTANT}
    beside = recommended(run(made(DATA), *bare, created(DATA + b"/settings")))
    assert (beside[DATA].level, beside[DATA + b"/settings.git"].level) == (
        Level.NORMAL,
        Level.IMPORTANT,
    )


def test_what_is_only_appended_is_not_written_anew() -> None:
    """A file that grows is kept: the beginning is that of earlier runs. One written anew is not."""
    history = HOME + b"/.keeper_history"
    grown = [modified(history, run=number) for number in (1, 2, 3)]
    runs = [run(each, number=number) for number, each in enumerate(grown, 1)]
    assert recommended(*runs)[history].level is Level.NORMAL
    anew = [
        run(modified(history, after=file(size=100, inode=number), run=number), number=number)
        for number in (1, 2, 3)
    ]
    assert recommended(*anew)[history].level is Level.TRANSIENT


@pytest.mark.parametrize(
    "name",
    [
        b"app.creds", b"login.keychain", b"keyrings/login", b"client.keystore", b"host.keytab",
        b".netrc", b"privkey.pem", b"privatekey", b"openpgp-revocs.d/1", b"pw", b"credentials.json",
    ],
)  # fmt: skip
def test_names_of_secrets(name: bytes) -> None:
    """Of files as programs call them; a public half takes it back."""
    assert level(DATA + b"/x/" + name) is Level.SECRET


@pytest.mark.parametrize(
    "name", [b"logins.json", b"certs/ca", b"passdb.tdb", b"sasldb2-sasl", b"vault.bin", b"auth"]
)
def test_names_of_secrets_where_nobody_else_may_read(name: bytes) -> None:
    """The mode tells which they are."""
    assert level(DATA + b"/x/" + name, mode=0o600) is Level.SECRET
    assert level(DATA + b"/x/" + name) is not Level.SECRET


@pytest.mark.parametrize(
    "name",
    [
        b"addrbook/1.xml", b"addressbook", b"appointments", b"chats/1", b"conversations/1",
        b"favorites", b"favourites.xml", b"feedlist", b"hotlist", b"home.ical", b"irclogs/x",
        b"my.ledger", b"logbook", b"mails", b"inbox.mbox", b"notebook.x", b"notebooks/1",
        b"roster.xml", b"cpu.rrd", b"savedgames/1", b"savegames/1", b"subscriptions.xml",
        b"timeclock", b"timeseries/1", b"a.torrent", b"transcripts/1", b"tsdb/1", b"bob.vcard",
        b"wallets/default", b"attachments/1", b"uploads/1", b"dump.aof", b"a.bdb", b"binlog.1",
        b"a.dbm", b"a.fdb", b"a.frm", b"a.gdbm", b"a.ibd", b"ibdata1", b"innodb/1", b"pubring.kbx",
        b"a.kdb", b"a.kdbx", b"a.myd", b"a.myi", b"rocksdb/1", b"1.sst", b"tablespace/1",
    ],
)  # fmt: skip
def test_names_of_what_people_make_and_of_databases(name: bytes) -> None:
    """Alone in its directory."""
    assert level(HOME + b"/.keeper/" + name) is Level.IMPORTANT


@pytest.mark.parametrize(
    "name", [b"atjobs", b"maildrop", b"mqueue", b"outbox", b"postings", b"queues"]
)
def test_names_of_what_waits_in_a_spool(name: bytes) -> None:
    """It comes from people."""
    assert level(b"/var/spool/keeper/" + name + b"/A1") is Level.IMPORTANT


@pytest.mark.parametrize(
    "name",
    [
        b"analytics", b"autocomplete", b"favicon", b"favicons", b"frecency", b"histories", b"icons",
        b"indices", b"permissions", b"recents", b"statistics", b"suggestions", b"telemetry",
        b"thumbnails",
    ],
)  # fmt: skip
def test_names_of_databases_by_the_way(name: bytes) -> None:
    """What happened, or can be found again."""
    assert level(DATA + b"/" + name + b".sqlite", hint="sqlite") is Level.NORMAL


@pytest.mark.parametrize("name", [b"anchor.key", b"drafts", b"outbox", b"tofu.toml", b"trusted"])
def test_names_in_a_cache_that_cannot_be_made_again(name: bytes) -> None:
    """Its makers put there what they trust and what waits."""
    assert level(CACHE + b"/" + name) is Level.NORMAL


def test_a_tagged_directory_among_documents_is_a_cache() -> None:
    """What a tool made for itself in a project, and marked."""
    top = HOME + b"/project/.keeper_store"
    found = recommended(run(made(top), created(top + b"/CACHEDIR.TAG"), created(top + b"/v/last")))
    assert {path: each.level for path, each in found.items()} == {top: Level.TRANSIENT}


@pytest.mark.parametrize("name", [b".keepsign.dblite", b".keeper_deps", b".keepercache"])
def test_what_a_build_noted_of_a_project(name: bytes) -> None:
    """The next build makes it again; a file that nothing hides is somebody's."""
    assert level(HOME + b"/project/" + name) is Level.TRANSIENT
    assert level(HOME + b"/project/" + name[1:]) is Level.IMPORTANT


def test_a_secret_of_a_build_stays_one() -> None:
    """Whatever it is called besides."""
    assert level(HOME + b"/project/.token_cache", mode=0o600) is Level.SECRET


@pytest.mark.parametrize("name", [b"anacron/cron.daily", b"keepcron/keep.pid2", b"keeper/bob"])
def test_what_is_no_table_of_a_person(name: bytes) -> None:
    """When a job of the system ran last, and what other spools hold."""
    assert level(b"/var/spool/" + name) is Level.NORMAL


def test_companions_are_no_journals() -> None:
    """SQLite's `-journal` is none that somebody keeps."""
    found = recommended(
        run(
            created(DATA + b"/history.db", hint="sqlite"),
            created(DATA + b"/history.db-journal"),
        )
    )
    assert {each.level for each in found.values()} == {Level.NORMAL}


@pytest.mark.parametrize("ending", [b".O", b".old", b".bak", b".orig", b"~"])
def test_an_older_copy_beside_the_file_is_no_entry(ending: bytes) -> None:
    """But a file that only has such a name is kept."""
    told = advice(run(modified(HOME + b"/todo.txt"), created(HOME + b"/todo.txt" + ending)))
    assert [each.path for each in told.recommendations] == [HOME + b"/todo.txt"]
    assert [each.why for each in told.set_aside] == [Why.TEMPORARY]
    assert list(recommended(run(created(HOME + b"/x" + ending)))) == [HOME + b"/x" + ending]


@pytest.mark.parametrize("name", [b".nfs000000000012", b".fuse_hidden0001", b"core.4711", b"core"])
def test_leftovers_of_kernel_and_crashes_are_set_aside(name: bytes) -> None:
    told = advice(run(created(DATA + b"/" + name), created(DATA + b"/a")))
    assert [each.path for each in told.set_aside] == [DATA + b"/" + name]


def test_a_first_part_of_a_name_does_not_claim_others_directories() -> None:
    """alpha-beta keeps /var/lib/alpha/beta, and not all that is alpha's."""
    seen = run(
        made(b"/var/lib/alpha/beta"),
        created(b"/var/lib/alpha/beta/state"),
        exe=b"/usr/bin/alpha-beta",
    )
    assert list(recommended(seen)) == [b"/var/lib/alpha/beta"]
    whole = run(made(b"/var/lib/alpha"), created(b"/var/lib/alpha/a"), exe=b"/usr/bin/alpha-beta")
    assert list(recommended(whole)) == [b"/var/lib/alpha"]


def test_a_directory_without_content_is_kept_as_one() -> None:
    found = recommended(run(made(DATA), made(DATA + b"/save")))
    assert {path: each.kind for path, each in found.items()} == {DATA: Kind.DIRECTORY}


@pytest.mark.parametrize("name", [b"saves", b"playlists", b"torrents", b"chatlogs", b"Maildir"])
def test_what_people_make_is_a_part_beside_what_is_less(name: bytes) -> None:
    """A directory named for it needs more care than the settings around it."""
    valued = DATA + b"/" + name
    found = recommended(run(made(DATA), created(DATA + b"/settings"), created(valued + b"/1")))
    assert {path: each.level for path, each in found.items()} == {
        DATA: Level.NORMAL,
        valued: Level.IMPORTANT,
    }
    alone = recommended(run(made(DATA), created(valued + b"/1")))
    assert {path: each.level for path, each in alone.items()} == {DATA: Level.IMPORTANT}


@pytest.mark.parametrize(
    "name", [b"logs/irc.example.org/#people.log", b"logs/bob@example.org/1.txt", b"log/b_at_x.log"]
)
def test_what_people_said_is_no_log_of_the_program(name: bytes) -> None:
    """A part of its own, and important; what the program says of itself is transient."""
    logs = DATA + b"/" + name.partition(b"/")[0]
    found = recommended(run(made(DATA), created(DATA + b"/settings"), created(DATA + b"/" + name)))
    assert {path: each.level for path, each in found.items()} == {
        DATA: Level.NORMAL,
        logs: Level.IMPORTANT,
    }
    own = recommended(run(made(DATA), created(DATA + b"/settings"), created(logs + b"/x.log")))
    assert own[logs].level is Level.TRANSIENT
    server = b"/var/lib/keeper"
    assert list(recommended(run(created(server + b"/a"), created(server + b"/logs/x.log")))) == [
        server
    ]


def test_many_such_parts_make_the_whole_important() -> None:
    """The answer stays short."""
    names = (b"notes", b"mail", b"contacts")
    files = [created(DATA + b"/" + name + b"/1") for name in names]
    found = recommended(run(made(DATA), created(DATA + b"/settings"), *files))
    assert {path: each.level for path, each in found.items()} == {DATA: Level.IMPORTANT}


def test_keys_that_a_group_may_read_are_told_by_one_of_them() -> None:
    """`keys` alone is no secret, and one private key in it makes it one with all beside it."""
    keys = b"/var/lib/keeper/keys"
    database = created(keys + b"/data.mdb", hint="lmdb")
    key = created(keys + b"/k/1.pem", hint="private-key")
    assert recommended(run(database))[b"/var/lib/keeper"].level is Level.IMPORTANT
    found = recommended(run(created(b"/var/lib/keeper/zone"), database, key))
    assert found[keys].level is Level.SECRET


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (HOME + b"/Mail/sent/cur/1.x:2,S", HOME + b"/Mail/sent"),
        (HOME + b"/Mail/sent/new/1.x", HOME + b"/Mail/sent"),
        (HOME + b"/cal/home/1.ics", HOME + b"/cal/home"),
        (HOME + b"/people/1.vcf", HOME + b"/people"),
    ],
)
def test_one_of_many_documents_is_kept_with_its_directory(path: bytes, folder: bytes) -> None:
    """The next message or event is a file of its own."""
    assert list(recommended(run(created(path)))) == [folder]
