"""Secrets that runs only read, what people mark beside a program's own, and repositories."""

from imptrace.db.records import PathRecord
from imptrace.judge.model import Level
from imptrace.tracer.events import FileState, Op
from tests.judge.factory import (
    access,
    advice,
    created,
    file,
    made,
    read,
    recommended,
    run,
)

HOME = b"/home/alice"
STATE = b"/var/lib/keeper"


def levels(*paths: PathRecord) -> dict[bytes, Level]:
    """Tell the level of everything that is recommended."""
    return {path: each.level for path, each in recommended(run(*paths)).items()}


def test_a_key_that_is_only_read_is_told_in_the_directory_that_is_kept() -> None:
    """It was made when the program was installed, or by a login long ago."""
    found = recommended(run(created(STATE + b"/state"), read(STATE + b"/credentials")))
    assert found[STATE].level is Level.NORMAL
    assert found[STATE + b"/credentials"].level is Level.SECRET


def test_of_a_weaker_name_the_mode_tells() -> None:
    """Nobody recorded it: it is as it stands now."""
    cookie = STATE + b"/.keeper.cookie"
    recording = run(created(STATE + b"/state"), read(cookie))
    open_to_all: dict[bytes, FileState] = {cookie: file(mode=0o644)}
    assert cookie not in recommended(recording, directories=open_to_all)
    closed = {cookie: file(mode=0o400)}
    assert recommended(recording, directories=closed)[cookie].level is Level.SECRET


def test_a_secret_that_is_read_elsewhere_is_none_of_the_program() -> None:
    """Configuration and other programs' secrets are not told."""
    found = recommended(
        run(created(STATE + b"/state"), read(b"/etc/keeper/password"), read(b"/var/lib/x/password"))
    )
    assert found.keys() == {STATE}


def test_bookmarks_stand_beside_what_a_program_is_for() -> None:
    """They are told apart; what people write is what the program is for, and raises the whole."""
    data = HOME + b"/.local/share/keeper"
    assert levels(made(data), created(data + b"/bookmarks"), created(data + b"/history")) == {
        data: Level.NORMAL,
        data + b"/bookmarks": Level.IMPORTANT,
    }
    assert levels(made(data), created(data + b"/todo"), created(data + b"/apts")) == {
        data: Level.IMPORTANT
    }


def test_a_repository_of_versions_is_important() -> None:
    """The older versions are nowhere else. One inside is a part of something that has its level."""
    top = HOME + b"/.keeper"

    def at(place: bytes) -> dict[bytes, Level]:
        files = (created(place + b"/" + name) for name in (b"HEAD", b"objects/1", b"refs/heads/x"))
        return levels(made(top), *files)

    assert at(top)[top] is Level.IMPORTANT
    assert at(top + b"/plugins/x/.git")[top] is Level.NORMAL


def test_a_log_named_for_its_program_is_no_work_of_people() -> None:
    """`~/.wallet-cli.log` of wallet-cli."""
    assert levels(created(HOME + b"/.wallet-cli.log")) == {
        HOME + b"/.wallet-cli.log": Level.TRANSIENT
    }


def test_a_list_of_projects_is_no_project() -> None:
    """A directory of them is what people make."""
    top = HOME + b"/.keeper"
    assert levels(made(top), created(top + b"/projects.json")) == {top: Level.NORMAL}
    assert Level.IMPORTANT in levels(made(top), created(top + b"/projects/x/a")).values()


def test_what_is_in_a_directory_that_is_a_lock_is_no_secret() -> None:
    """The token tells who holds it."""
    lock = HOME + b"/.local/state/keeper/locks/1a2b.lock"
    found = levels(created(lock + b"/meta.json", hint="credentials"))
    assert Level.SECRET not in found.values()


def test_keys_by_their_ending() -> None:
    """`router.keys` is one, whoever may read it."""
    assert (
        levels(created(STATE + b"/router.keys"), created(STATE + b"/a"))[STATE + b"/router.keys"]
        is Level.SECRET
    )


def test_a_closed_directory_for_secrets_is_told_while_empty() -> None:
    """A later run writes the first of them into it."""
    keys = STATE + b"/keys"
    assert levels(made(keys, mode=0o700), created(STATE + b"/state")) == {
        STATE: Level.NORMAL,
        keys: Level.SECRET,
    }
    assert levels(made(keys), created(STATE + b"/state")) == {STATE: Level.NORMAL}


def test_a_file_made_in_a_directory_that_was_there_keeps_it_over_later_runs() -> None:
    """What one recording keeps, two do not lose: the run after changes what the first made."""
    seed = HOME + b"/.ring/seed"
    first = run(created(seed))
    second = run(created(HOME + b"/.ring/trust", access(Op.CREATE), run=2), read(seed), number=2)
    assert HOME + b"/.ring" in recommended(first)
    assert HOME + b"/.ring" in recommended(first, second)
    assert advice(first).warnings == ()
