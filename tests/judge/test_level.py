"""Levels: from the place, the name, the mode, and the first bytes."""

import pytest

from imptrace.db.records import PathRecord
from imptrace.judge.model import Level
from imptrace.tracer.events import Op
from tests.judge.factory import access, created, file, made, modified, recommended, run


def level(path: PathRecord) -> Level:
    """Ask for the level of the only path of a run."""
    found = recommended(run(path))
    assert len(found) == 1
    return next(iter(found.values())).level


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/var/lib/k", Level.NORMAL),
        (b"/var/cache/k", Level.TRANSIENT),
        (b"/var/log/k", Level.NORMAL),
        (b"/home/alice/.cache/k", Level.TRANSIENT),
        (b"/home/alice/.config/k", Level.NORMAL),
        (b"/home/alice/.k", Level.NORMAL),
        (b"/home/alice/k", Level.IMPORTANT),
        (b"/srv/k", Level.IMPORTANT),
        (b"/home/alice/k~", Level.TRANSIENT),
        (b"/home/alice/.k.log", Level.TRANSIENT),
        (b"/home/alice/.git-credentials", Level.SECRET),
        (b"/home/alice/.k/private-keys", Level.SECRET),
        (b"/home/alice/.local/share/k/x.sqlite", Level.IMPORTANT),
        (b"/home/alice/.config/k/x.sqlite", Level.NORMAL),
        (b"/home/alice/.config/k/Bookmarks", Level.IMPORTANT),
        (b"/home/alice/.local/share/k/1.ics", Level.IMPORTANT),
        (b"/var/lib/k/vmail/x", Level.IMPORTANT),
        (b"/home/alice/.newsreader/cache.db", Level.NORMAL),
        (b"/home/alice/.cache/k/sync-state", Level.NORMAL),
        (b"/var/lib/k/keymap", Level.NORMAL),
    ],
)
def test_place_and_name(path: bytes, expected: Level) -> None:
    """The place gives the level, and words in the name raise or lower it."""
    assert level(created(path)) is expected


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        (b"api.key", 0o600, Level.SECRET),
        (b"api.key", 0o644, Level.NORMAL),
        (b"id.key.pub", 0o600, Level.NORMAL),
        (b"authorized_keys", 0o600, Level.NORMAL),
        (b"secret", 0o644, Level.SECRET),
        (b"zone.private", 0o600, Level.SECRET),
        (b"zone.private", 0o644, Level.NORMAL),
        (b"private-keys", 0o644, Level.SECRET),
    ],
)
def test_weak_words_need_a_private_file(name: bytes, mode: int, expected: Level) -> None:
    """`key` is a secret where nobody else may read it; a public key never is."""
    assert level(created(b"/var/lib/k/" + name, after=file(mode=mode))) is expected


def test_a_directory_called_private_is_a_secret_by_its_own_mode() -> None:
    """What it holds is not, by that name alone: a private calendar."""
    for mode, expected in ((0o755, Level.NORMAL), (0o700, Level.SECRET)):
        found = recommended(
            run(
                made(b"/var/lib/k"),
                created(b"/var/lib/k/settings"),
                made(b"/var/lib/k/private", mode=mode),
                created(b"/var/lib/k/private/x", after=file(mode=0o600)),
            )
        )
        kept = found.get(b"/var/lib/k/private", found[b"/var/lib/k"])
        assert kept.level is expected, mode


def test_a_log_says_nothing_of_the_directory_that_it_is_in() -> None:
    """A run that only logged has not shown what else a later one may leave there."""
    keeper = b"/home/alice/.local/share/keeper"
    found = recommended(run(made(keeper), created(keeper + b"/keeper.log")))
    assert found[keeper].level is Level.NORMAL


def test_where_all_that_was_seen_is_in_secret_directories_the_whole_is_secret() -> None:
    """A later run makes another one beside them."""
    keys = b"/home/alice/.config/keeper/keys"
    one = [made(keys, mode=0o700), created(keys + b"/a.key", after=file(mode=0o600))]
    other = keys.replace(b"/keys", b"/tokens")
    two = [*one, made(other, mode=0o700), created(other + b"/b", after=file(mode=0o600))]
    assert list(recommended(run(*one))) == [keys]
    assert list(recommended(run(*two))) == [b"/home/alice/.config/keeper"]


def test_configuration_is_secret_by_what_it_says_and_not_by_its_mode() -> None:
    """Below /etc many files are closed to others that hold nothing to hide."""
    closed = file(mode=0o600)
    assert level(created(b"/etc/k/filters/a.xml", after=closed)) is Level.NORMAL
    assert level(created(b"/etc/k/a.conf", after=closed, hint="credentials")) is Level.SECRET
    assert level(created(b"/etc/k/a.key", after=closed)) is Level.SECRET


@pytest.mark.parametrize(
    ("hint", "path", "expected"),
    [
        ("sqlite", b"/var/lib/k/a", Level.IMPORTANT),
        ("sqlite", b"/var/cache/k/a", Level.TRANSIENT),
        ("private-key", b"/home/alice/.config/k/a", Level.SECRET),
        ("credentials", b"/home/alice/.k", Level.SECRET),
    ],
)
def test_content(hint: str, path: bytes, expected: Level) -> None:
    """A private key is a secret anywhere; a database is important outside caches."""
    assert level(created(path, hint=hint)) is expected


def test_what_several_runs_write_anew_and_none_reads_is_transient() -> None:
    """It would be made again at the next start."""
    twice = [run(modified(b"/var/lib/k/status", after=file()), number=n) for n in (1, 2)]
    assert recommended(*twice)[b"/var/lib/k/status"].level is Level.TRANSIENT
    read_back = [run(modified(b"/var/lib/k/status", read_first=True), number=n) for n in (1, 2)]
    assert recommended(*read_back)[b"/var/lib/k/status"].level is Level.NORMAL


def test_a_directory_with_a_cache_tag_is_a_cache() -> None:
    """CACHEDIR.TAG says so, whatever the name."""
    found = recommended(
        run(
            made(b"/home/alice/.keeper"),
            created(b"/home/alice/.keeper/settings"),
            made(b"/home/alice/.keeper/registry"),
            created(b"/home/alice/.keeper/registry/CACHEDIR.TAG"),
            created(b"/home/alice/.keeper/registry/x"),
        )
    )
    assert found[b"/home/alice/.keeper"].level is Level.NORMAL
    assert found[b"/home/alice/.keeper/registry"].level is Level.TRANSIENT


@pytest.mark.parametrize(
    ("name", "level"),
    [
        (b".zcompdump", Level.TRANSIENT),
        (b".zcompdump-host-5.9", Level.TRANSIENT),
        (b".keeper_cache", Level.TRANSIENT),
        (b".keeper.cache", Level.TRANSIENT),
        (b".keeper-cached-credentials", Level.SECRET),
        (b".keeperrc", Level.NORMAL),
        (b".keeper/keeper.cache", Level.NORMAL),
    ],
)
def test_a_file_in_the_home_that_is_called_a_cache(name: bytes, level: Level) -> None:
    """By itself it is made again; in a directory it says nothing of what was not seen beside it."""
    (found,) = recommended(run(created(b"/home/alice/" + name))).values()
    assert found.level is level


@pytest.mark.parametrize(
    ("op", "level"), [(Op.WRITE, Level.NORMAL), (Op.TRUNCATE, Level.TRANSIENT)]
)
def test_what_was_there_before_and_nobody_looked_at_is_written_anew_only_by_a_call_for_that(
    op: Op, level: Level
) -> None:
    """As a recorder sees it that attaches to a service, which appends to its file."""
    path = b"/home/alice/.local/share/keeper/state"
    runs = [run(modified(path, access(op), before=None, run=n), number=n) for n in (1, 2, 3)]
    found = recommended(*runs)
    assert {each.level for each in found.values()} == {level}
