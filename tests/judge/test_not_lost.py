"""What would lose data although the answer looks right: places, methods, single files, mounts."""

from pathlib import Path

import pytest

from imptrace.catalogue import Entry, load
from imptrace.db.records import ProcessRecord, RunDetails
from imptrace.facts.programs import script_name
from imptrace.judge.codes import Code
from imptrace.judge.model import Kind, Level, Method
from imptrace.judge.names import executed_names
from imptrace.render.nix import Target, nix
from imptrace.tracer.events import Mount, Op
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
ENTRY = """
title = "Keeper"
option = "services.keeper"
programs = ["keeper"]

[[persist]]
path = "/var/lib/keep"
level = "important"
user = "keeper"
mode = "0750"
elsewhere = ["/var/lib/keep-*", "/var/keep.db"]

[[instance]]
path = "/var/lib/pool-<name>"
each = "services.keeper.pools"
level = "normal"
elsewhere = ["/srv/pool"]
"""
HOME_ENTRY = """
title = "Keeper"
option = "programs.keeper"
programs = ["keeper"]

[[persist]]
path = ".keep"
level = "important"

[[persist]]
path = ".keep/keys"
level = "secret"
mode = "0700"
"""


def entry(root: Path, folder: str, text: str) -> Entry:
    (root / folder).mkdir()
    (root / folder / "keeper.toml").write_text(text)
    return next(iter(load(root)))


@pytest.fixture
def service(tmp_path: Path) -> Entry:
    return entry(tmp_path, "services", ENTRY)


def written(*runs: RunDetails, entry: Entry, target: Target = Target.OPTIONS) -> str:
    return nix([advice(*runs, entry=entry, entries=(entry,))], target)[0]


def test_another_distributions_place_is_never_written(service: Entry) -> None:
    """Nor its users; and what it keeps in a file is the directory that NixOS has."""
    debian = run(made(b"/var/lib/keep-9", uid=990), created(b"/var/lib/keep-9/x"), uid=990)
    for target in (Target.OPTIONS, Target.IMPERMANENCE, Target.PRESERVATION):
        text = written(debian, entry=service, target=target)
        assert '"/var/lib/keep"' in text
        assert '"keeper"' in text
        assert "stored" not in text
        assert '"/var/lib/keep-9' not in text
    lone = run(created(b"/var/keep.db", access(Op.RENAME, origin=b"/var/keep.new")))
    text = written(lone, entry=service)
    assert "directories" in text
    assert "copy" not in text


def test_what_ran_from_the_store_has_its_own_place(service: Entry) -> None:
    """Another version's, on NixOS itself."""
    exe = b"/nix/store/00000000000000000000000000000000-keeper-2/bin/keeper"
    seen = run(made(b"/var/lib/keep-9"), created(b"/var/lib/keep-9/x"), exe=exe)
    assert '"/var/lib/keep-9"' in written(seen, entry=service)


def test_one_of_many_places_is_left_out_and_named(service: Entry) -> None:
    """The instance's name is in the configuration alone."""
    seen = run(made(b"/srv/pool"), created(b"/srv/pool/x"))
    text, left_out = nix([advice(seen, entry=service, entries=(service,))], Target.OPTIONS)
    assert "directories" not in text
    assert "/var/lib/pool-<name>" in left_out[0]


def test_asked_for_with_what_is_declared_each_place_is_written_once(service: Entry) -> None:
    seen = run(made(b"/var/lib/keep-9"), created(b"/var/lib/keep-9/x"))
    assert written(seen, entry=service).count("/var/lib/keep") == 2  # the path, and where it was


PATH = HOME + b"/.keeperrc"


def test_a_file_that_one_run_makes_and_another_replaces_is_replaced() -> None:
    """A bind mount, on which the rename fails, would follow from both runs taken together."""
    first = run(created(PATH))
    second = run(modified(PATH, access(Op.RENAME, origin=PATH + b".new")), number=2)
    assert recommended(second)[PATH].method is Method.NONE
    assert recommended(first, second)[PATH].method is Method.NONE
    assert recommended(first, second, run(read(PATH), number=3))[PATH].method is Method.NONE


def test_what_was_written_through_a_link_is_kept_by_a_link() -> None:
    """Whatever was done to the file that it leads to."""
    target = b"/persist/home/alice/keeperrc"
    seen = run(modified(target, access(Op.RENAME, origin=target + b".lock")))
    found = recommended(seen, links={target: PATH})
    assert found.keys() == {PATH}
    assert found[PATH].method is Method.SYMLINK
    assert Code.LINK_STANDS in {reason.code for reason in found[PATH].reasons}


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (HOME + b"/.calendars/home/a1.ics", HOME + b"/.calendars/home"),
        (b"/var/spool/jobs/queue/a00001", b"/var/spool/jobs/queue"),
        (HOME + b"/.local/share/other/inbox/17", HOME + b"/.local/share/other/inbox"),
        (HOME + b"/.other", HOME + b"/.other"),
        (b"/var/lib/misc/other.leases", b"/var/lib/misc/other.leases"),
    ],
)
def test_a_new_file_among_others_is_kept_with_its_directory(path: bytes, kept: bytes) -> None:
    """The next run makes another one; but where everybody's files are, it is kept alone."""
    assert list(recommended(run(created(path)))) == [kept]


@pytest.mark.parametrize("names", [(b"",), (b"", b"-wal", b"-shm"), (b"", b"-journal")])
def test_a_database_is_kept_with_its_companions(names: tuple[bytes, ...]) -> None:
    """Also where its directory is not named for the program, and its file is."""
    database = HOME + b"/.local/share/power/keeper.sqlite3"
    seen = run(*(modified(database + name, hint="sqlite") for name in names))
    found = recommended(seen)
    assert list(found) == [HOME + b"/.local/share/power"]
    assert found[HOME + b"/.local/share/power"].kind is Kind.DIRECTORY


def mounted(root: bytes, device: str = "8:1", fstype: str = "ext4") -> list[Mount]:
    return [
        Mount(1, 0, "8:1", b"/@root", b"/", "ext4", b"/dev/sda1", "rw"),
        Mount(2, 1, device, root, b"/var/lib/keeper", fstype, b"/dev/sda1", "rw"),
    ]


@pytest.mark.parametrize(
    ("mounts", "is_kept"),
    [
        (mounted(b"/@root/var/lib/keeper"), True),
        (mounted(b"/@root/elsewhere"), True),
        (mounted(b"/@keeper"), False),
        (mounted(b"/", device="8:2"), False),
        (mounted(b"/", device="0:44", fstype="tmpfs"), True),
    ],
)
def test_a_part_of_the_root_bound_into_it_is_no_disk(mounts: list[Mount], *, is_kept: bool) -> None:
    """A mount is another file system by its device, or another part of it by its root."""
    seen = run(created(b"/var/lib/keeper/x"), mounts=mounts)
    assert bool(recommended(seen)) is is_kept


@pytest.mark.parametrize(
    ("exe", "argv", "name"),
    [
        (b"/usr/bin/node", (b"node", b"/usr/bin/npm", b"i"), b"npm"),
        (b"/usr/bin/python3.11", (b"python3", b"bin/tool"), b"tool"),
        (b"/usr/bin/python3", (b"python3", b"-m", b"tool.main"), b"tool"),
        (b"/bin/bash", (b"bash", b"-c", b"/usr/bin/tool"), None),
        (b"/bin/bash", (b"bash",), None),
        (b"/usr/bin/tool", (b"tool", b"/some/file"), None),
    ],
)
def test_a_script_is_called_as_it_was_started(
    exe: bytes, argv: tuple[bytes, ...], name: bytes | None
) -> None:
    """Where that was a link, the file that was executed has another name."""
    assert script_name(exe, argv) == name
    plain = run()
    process: ProcessRecord = plain.processes[0].__class__(
        **{field: getattr(plain.processes[0], field) for field in plain.processes[0].__slots__}
        | {"exe": exe, "argv": argv}
    )
    seen = RunDetails(run=plain.run, processes=(process,), paths=(), mounts=())
    assert name is None or name in executed_names(seen)


def test_a_secret_that_no_run_wrote_is_shown_where_its_directory_is_kept(tmp_path: Path) -> None:
    """After the first login it would lie in a store for less."""
    known = entry(tmp_path, "home", HOME_ENTRY)
    seen = run(
        created(HOME + b"/.keep/ring", after=file(mode=0o600)),
        environ={"HOME": HOME},
    )
    found = recommended(
        seen, entry=known, entries=(known,), directories={HOME + b"/.keep": directory(mode=0o700)}
    )
    assert {path: (each.level, each.observed) for path, each in found.items()} == {
        HOME + b"/.keep": (Level.IMPORTANT, True),
        HOME + b"/.keep/keys": (Level.SECRET, False),
    }
    elsewhere = run(created(HOME + b"/.other"), environ={"HOME": HOME})
    assert HOME + b"/.keep/keys" not in recommended(elsewhere, entry=known, entries=(known,))
