"""File or directory: the fewest that keep all of the program's own state and nothing else."""

from imptrace.judge.codes import Code
from imptrace.judge.model import Kind, Level, Method, Scope, Why
from imptrace.tracer.events import Op
from tests.judge.factory import (
    access,
    advice,
    created,
    directory,
    file,
    made,
    modified,
    read,
    recommended,
    run,
)

HOME = b"/home/alice"


def levels(*paths: object, **more: object) -> dict[bytes, Level]:
    """Answer with the levels of what is recommended for one run."""
    found = recommended(run(*paths), **more)
    return {path: each.level for path, each in found.items()}


def test_a_thousand_files_are_one_directory() -> None:
    """The entry of the container, however deep the files are."""
    files = [created(b"/var/lib/keeper/15/base/%d" % number) for number in range(1000)]
    found = recommended(run(*files))
    assert list(found) == [b"/var/lib/keeper"]
    assert found[b"/var/lib/keeper"].covers == 1000


def test_a_lone_file_in_a_shared_directory_stays_a_file() -> None:
    """/var/lib/misc holds files of many programs."""
    found = recommended(run(modified(b"/var/lib/misc/keeper.leases")))
    assert found[b"/var/lib/misc/keeper.leases"].kind is Kind.FILE


def test_owner_and_mode_are_those_of_the_directory() -> None:
    """As it is now, where no run touched the directory itself."""
    path = b"/var/lib/keeper"
    found = recommended(
        run(modified(path + b"/x")), directories={path: directory(mode=0o750, uid=990)}
    )
    assert (found[path].user, found[path].group, found[path].mode) == ("stored", "stored", 0o750)


def test_a_directory_that_a_program_makes_for_itself_is_where_it_will_write() -> None:
    """Although nothing is in it yet; a marker belongs to its directory."""
    assert levels(made(b"/var/lib/keeper"), made(b"/var/lib/keeper/saves")) == {
        b"/var/lib/keeper": Level.NORMAL
    }
    assert list(levels(made(HOME + b"/Sync"), made(HOME + b"/Sync/.marker"))) == [HOME + b"/Sync"]


def test_empty_directories_in_what_was_there_are_no_state() -> None:
    """They are made again; the answer says so."""
    found = advice(run(made(b"/var/lib/keeper/proxy")))
    assert found.recommendations == ()
    assert {each.why for each in found.set_aside} == {Why.EMPTY}
    assert [warning.code for warning in found.warnings] == [Code.NOTHING_KEPT]


def test_an_empty_file_is_state() -> None:
    """Being there is all that it says: the lecture was given."""
    found = levels(
        made(b"/var/lib/keeper/told"), created(b"/var/lib/keeper/told/a", after=file(size=0))
    )
    assert list(found) == [b"/var/lib/keeper"]


def test_below_etc_a_directory_with_configuration_is_not_kept() -> None:
    """What the program reads there and never changes is written by activation."""
    paths = [created(b"/etc/keeper/%s_key" % name) for name in (b"a", b"b")]
    assert list(levels(*paths, read(b"/etc/keeper/keeper.conf"))) == [
        b"/etc/keeper/a_key",
        b"/etc/keeper/b_key",
    ]
    assert list(levels(*paths)) == [b"/etc/keeper"]


def test_a_replaced_file_beside_configuration_can_have_no_entry() -> None:
    """Neither can its directory; the reason says so."""
    path = b"/etc/keeper/state"
    replaced = modified(path, access(Op.RENAME, origin=path + b".new"))
    found = recommended(run(replaced, read(b"/etc/keeper/keeper.conf")))
    assert found[path].method is Method.NONE
    assert Code.MIXED_DIRECTORY in {reason.code for reason in found[path].reasons}


def test_etc_itself_is_never_kept() -> None:
    """However many files a program leaves there."""
    found = levels(*(created(b"/etc/keeper%d" % number) for number in range(9)))
    assert len(found) == 9
    assert b"/etc" not in found


def test_a_vendors_directory_is_left_where_the_programs_own_is_below_it() -> None:
    """~/.config/vendor may hold other programs' directories as well."""
    found = levels(
        made(HOME + b"/.config/vendor"),
        made(HOME + b"/.config/vendor/keeper"),
        created(HOME + b"/.config/vendor/keeper/settings"),
    )
    assert list(found) == [HOME + b"/.config/vendor/keeper"]


def test_in_a_directory_of_unknown_name_only_what_was_used_is_kept() -> None:
    """It was there before, and may hold anything."""
    assert list(levels(modified(b"/var/lib/other/x"))) == [b"/var/lib/other/x"]
    several = [modified(b"/var/lib/other/deep/%d" % number) for number in range(5)]
    assert list(levels(*several)) == [b"/var/lib/other/deep"]


def test_a_cache_inside_state_is_a_part_of_its_own() -> None:
    """So that it can be thrown away without the rest."""
    assert levels(
        made(HOME + b"/.config/keeper"),
        created(HOME + b"/.config/keeper/settings"),
        made(HOME + b"/.config/keeper/GPUCache"),
        created(HOME + b"/.config/keeper/GPUCache/data_0"),
    ) == {
        HOME + b"/.config/keeper": Level.NORMAL,
        HOME + b"/.config/keeper/GPUCache": Level.TRANSIENT,
    }


def test_a_directory_of_secrets_is_a_part_of_its_own() -> None:
    """By its name, or because many of its files are secrets."""
    assert levels(
        made(b"/var/lib/keeper", mode=0o700),
        created(b"/var/lib/keeper/state"),
        made(b"/var/lib/keeper/private"),
        created(b"/var/lib/keeper/private/a"),
        made(b"/var/lib/keeper/hs"),
        created(b"/var/lib/keeper/hs/hostname"),
        created(b"/var/lib/keeper/hs/secret_key"),
    ) == {
        b"/var/lib/keeper": Level.NORMAL,
        b"/var/lib/keeper/hs": Level.SECRET,
        b"/var/lib/keeper/private": Level.SECRET,
    }


def test_a_replaced_secret_is_told_apart_and_raises_what_is_mostly_that() -> None:
    """No entry of its own can keep it; what is around it needs no more care for that."""
    path = b"/var/lib/keeper/secret_key"
    renamed = created(path, access(Op.RENAME, origin=path + b".1"))
    assert levels(created(b"/var/lib/keeper/state"), renamed) == {
        b"/var/lib/keeper": Level.NORMAL,
        path: Level.SECRET,
    }
    assert levels(renamed) == {b"/var/lib/keeper": Level.SECRET}


def test_a_database_makes_its_directory_important() -> None:
    """All of it belongs together; its log beside it is never apart."""
    found = levels(
        created(b"/var/lib/keeper/a"), created(b"/var/lib/keeper/b.sqlite", hint="sqlite")
    )
    assert found == {b"/var/lib/keeper": Level.IMPORTANT}


def test_what_stands_beside_a_database_does_not_raise_its_directory() -> None:
    """The write-ahead log of a part is no part, and no reason to move everything."""
    profile = HOME + b"/.config/keeper"
    assert levels(
        made(profile),
        created(profile + b"/settings"),
        created(profile + b"/bookmarks.sqlite"),
        created(profile + b"/bookmarks.sqlite-wal"),
    ) == {profile: Level.NORMAL, profile + b"/bookmarks.sqlite": Level.IMPORTANT}


def test_moved_xdg_directories_are_honoured() -> None:
    """The variables of the traced process say where its places are."""
    found = advice(
        run(
            created(b"/home/alice/cfg/keeper/settings"),
            created(b"/home/alice/c/keeper/x"),
            environ={
                "HOME": HOME,
                "XDG_CONFIG_HOME": b"/home/alice/cfg",
                "XDG_CACHE_HOME": b"/home/alice/c",
            },
        )
    )
    assert {each.path: each.level for each in found.recommendations} == {
        b"/home/alice/cfg/keeper": Level.NORMAL,
        b"/home/alice/c/keeper": Level.TRANSIENT,
    }


def test_a_users_own_directories_are_never_kept_whole() -> None:
    """A download does not make ~/Downloads the program's."""
    found = recommended(run(made(HOME + b"/Downloads"), created(HOME + b"/Downloads/x.pdf")))
    assert list(found) == [HOME + b"/Downloads/x.pdf"]
    assert found[HOME + b"/Downloads/x.pdf"].scope is Scope.SHARED


def test_of_mail_the_folder_is_named_and_not_its_part() -> None:
    """Whoever reads new mail moves it to `cur`."""
    moved = [created(HOME + b"/Mail/inbox/cur/%d:2,S" % number) for number in range(5)]
    assert list(levels(*moved)) == [HOME + b"/Mail/inbox"]


def test_many_secrets_among_much_else_stay_apart() -> None:
    """A second profile makes more of them: its pages and settings are no secrets for that."""
    profile = HOME + b"/.config/keeper"
    secrets = [created(profile + b"/%d/token" % number) for number in range(9)]
    others = [
        created(profile + b"/%d/page-%d" % (number, each))
        for number in range(9)
        for each in range(4)
    ]
    found = levels(made(profile), *secrets, *others)
    assert found[profile] is Level.NORMAL


def test_a_store_of_secrets_is_secret_as_a_whole() -> None:
    """Most of what is in it is one, and the next login makes another."""
    store = HOME + b"/.keeper"
    secrets = [created(store + b"/token-%d" % number) for number in range(9)]
    assert levels(made(store), created(store + b"/settings"), *secrets) == {store: Level.SECRET}
