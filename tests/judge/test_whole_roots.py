"""A root of which only a part was seen, or that is there for one thing."""

from imptrace.db.records import PathRecord
from imptrace.judge.model import Level
from tests.judge.factory import created, directory, file, made, read, recommended, run

HOME = b"/home/alice"
STATE = b"/var/lib/keeper"
DATA = HOME + b"/.local/share/keeper"


def levels(*paths: PathRecord, **more: object) -> dict[bytes, Level]:
    """Tell the level of everything that is recommended."""
    return {path: each.level for path, each in recommended(run(*paths), **more).items()}


def test_a_closed_directory_with_a_key_among_few_files_is_secret() -> None:
    """What is beside the master key of an authority cannot be read without it, nor replaced."""
    key = created(STATE + b"/stash", hint="keyring")
    principals = created(STATE + b"/principal", hint="berkeley-db")
    assert levels(made(STATE, mode=0o700), key, principals) == {STATE: Level.SECRET}
    assert levels(made(STATE), key, principals)[STATE] is Level.IMPORTANT


def test_a_closed_directory_with_many_files_has_its_key_apart() -> None:
    """A key is a part of what has so much else."""
    many = (created(STATE + b"/entry%d" % number) for number in range(9))
    key = created(STATE + b"/stash", hint="keyring")
    assert levels(made(STATE, mode=0o700), key, *many) == {
        STATE: Level.NORMAL,
        STATE + b"/stash": Level.SECRET,
    }


def test_it_is_secret_too_where_the_key_was_only_read() -> None:
    """The run after the one that made the key."""
    closed = {STATE: directory(mode=0o700), STATE + b"/credentials": file(mode=0o600)}
    paths = (created(STATE + b"/principal"), read(STATE + b"/credentials"))
    assert levels(*paths, directories=closed) == {STATE: Level.SECRET}


def test_a_directory_of_keys_with_their_public_halves_is_secret() -> None:
    """`key.pem` and `cert.pem`; beside more than that the key is a part."""
    pair = (created(DATA + b"/ca-key.pem", hint="private-key"), created(DATA + b"/ca.pem"))
    assert levels(made(DATA), *pair) == {DATA: Level.SECRET}
    more = (created(DATA + b"/serial"), created(DATA + b"/state"))
    assert levels(made(DATA), *pair, *more)[DATA] is Level.NORMAL


def test_a_program_that_made_more_than_it_filled_keeps_the_whole() -> None:
    """Only the secrets are there so far; the next run writes beside them."""
    secrets = (made(DATA), made(DATA + b"/keys"), created(DATA + b"/keys/a", hint="credentials"))
    assert levels(*secrets) == {DATA + b"/keys": Level.SECRET}
    assert levels(*secrets, made(DATA + b"/saved")) == {
        DATA: Level.NORMAL,
        DATA + b"/keys": Level.SECRET,
    }


def test_a_directory_that_was_made_for_the_programs_user_is_kept_while_empty() -> None:
    """It is prepared in it; what root has there may be anything's."""
    spool = made(STATE + b"/streams", uid=990)
    own = {STATE: directory(uid=990)}
    assert levels_as_service(spool, directories=own) == {STATE: Level.NORMAL}
    assert levels_as_service(spool, directories={STATE: directory(uid=0)}) == {}


def test_a_family_s_directory_is_the_programs_own_where_its_user_has_it() -> None:
    """`/var/lib/keeper` of keeper-server; of root it may be another program's of that name."""
    stored = (made(STATE + b"/x", uid=990), created(STATE + b"/x/a", after=file(uid=990)))
    server = {"exe": b"/usr/bin/keeper-server"}
    own = {STATE: directory(uid=990)}
    assert levels_as_service(*stored, directories=own, **server).keys() == {STATE}
    roots = {STATE: directory(uid=0)}
    assert levels_as_service(*stored, directories=roots, **server).keys() == {STATE + b"/x"}


def test_an_empty_directory_has_the_level_of_its_name() -> None:
    """Games make the directory of their saves at the first start."""
    assert levels(made(HOME + b"/.keeper-saves")) == {HOME + b"/.keeper-saves": Level.IMPORTANT}


def levels_as_service(
    *paths: PathRecord, exe: bytes = b"/usr/bin/keeper", **more: object
) -> dict[bytes, Level]:
    """Tell the same of a run as a service's user."""
    found = recommended(run(*paths, uid=990, exe=exe), **more)
    return {path: each.level for path, each in found.items()}
