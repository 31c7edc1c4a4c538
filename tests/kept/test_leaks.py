"""What `leaks` finds in a small system, and how it tells of it."""

import gzip
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import get_type_hints

import pytest
from command_line import Answer, Ask
from trees import PRIVATE_KEY, System

from imptrace.facts.levels import Level
from imptrace.judge.model import Scope
from imptrace.kept.leaks.answer import LeaksQuestion, answer
from imptrace.kept.leaks.model import Leak
from imptrace.kept.wiped import Said
from imptrace.render import leaks_json
from imptrace.render.leaks_ncdu import export

DOCS = Path(__file__).parents[2] / "docs" / "json.md"


@pytest.fixture(name="system")
def _system(tmp_path: Path) -> System:
    return System(tmp_path / "root")


def question(system: System, **more: object) -> LeaksQuestion:
    said = Said(ephemeral=(b"/",))
    return LeaksQuestion(base=os.fsencode(system.root), said=said, **more)


def leaks(system: System, **more: object) -> dict[bytes, Leak]:
    return {leak.path: leak for leak in answer(question(system, **more), None).leaks}


def levels(system: System) -> dict[bytes, Level]:
    return {
        path: leak.level
        for path, leak in leaks(system).items()
        if not path.startswith(b"/etc/pass")
    }


def test_state_of_an_unknown_service_is_its_directory(system: System) -> None:
    for name in ("a", "deep/b", "deep/er/c"):
        system.put(f"/var/lib/unheard/{name}")
    assert levels(system) == {b"/var/lib/unheard": Level.NORMAL}


def test_a_database_makes_its_directory_important_and_a_key_is_named(system: System) -> None:
    system.put("/var/lib/unheard/plain")
    system.put("/var/lib/unheard/data", b"SQLite format 3\0")
    key = system.put("/var/lib/unheard/identity", PRIVATE_KEY, 0o600)
    assert levels(system) == {b"/var/lib/unheard": Level.IMPORTANT, key: Level.SECRET}


def test_many_secrets_are_one_directory(system: System) -> None:
    for number in range(9):
        system.put(f"/var/lib/unheard/issued/{number}", PRIVATE_KEY, 0o600)
    system.put("/var/lib/unheard/other")
    found = levels(system)
    assert found == {b"/var/lib/unheard": Level.NORMAL, b"/var/lib/unheard/issued": Level.SECRET}


def test_the_catalogue_knows_a_profile_to_its_files(system: System) -> None:
    profile = "/home/alice/.config/mozilla/firefox/x.default"
    system.put(f"{profile}/prefs.js")
    key = system.put(f"{profile}/key4.db")
    system.put(f"{profile}/.parentlock")
    system.put("/home/alice/.cache/mozilla/firefox/x.default/cache2/entries/1")
    found = leaks(system)
    assert found[b"/home/alice/.config/mozilla/firefox"].level is Level.NORMAL
    assert found[key].level is Level.SECRET
    assert found[b"/home/alice/.cache/mozilla"].level is Level.TRANSIENT
    assert found[key].option == "programs.firefox.persistence"
    assert found[key].writers[0].program == b"firefox"


def test_nothing_is_said_of_what_need_not_be_kept(system: System) -> None:
    system.put("/tmp/x")
    system.put("/run/x")
    system.put("/var/lib/a/daemon.pid", b"12\n")
    (system.root / "var/lib/empty/deep").mkdir(parents=True)
    (system.root / "etc/fstab").symlink_to("/etc/static/fstab")
    (system.root / "home/alice/.zshrc").symlink_to("/nix/store/x-home-manager-files/.zshrc")
    listening = socket.socket(socket.AF_UNIX)
    with listening:
        os.chdir(system.root / "var/lib/a")
        listening.bind("s")
        os.chdir("/")
    found = answer(question(system), None)
    assert [leak.path for leak in found.leaks] == [b"/etc/passwd"]
    assert found.counts == {"temporary": 1, "runtime": 1, "lock": 1, "store": 2, "socket": 1}


def test_sources_are_no_secrets_whatever_they_are_called(system: System) -> None:
    system.put("/home/alice/src/parser/token.py")
    system.put("/home/alice/src/tests/login.py", b"password = 'hunter2-example'\n")
    system.put("/home/alice/src/secrets.env", b"API_TOKEN=abcdefghijkl\n", 0o600)
    assert levels(system) == {
        b"/home/alice/src": Level.IMPORTANT,
        b"/home/alice/src/secrets.env": Level.SECRET,
    }


def test_what_can_be_made_again_is_transient(system: System) -> None:
    system.put("/home/alice/app/node_modules/left/keys.db")
    system.put("/home/alice/venv/pyvenv.cfg")
    system.put("/home/alice/venv/lib/secret")
    system.put("/var/lib/builder/out/CACHEDIR.TAG")
    system.put("/var/lib/builder/out/main.db")
    assert set(levels(system).values()) == {Level.TRANSIENT}


def test_in_etc_only_what_nobody_else_writes_is_one_directory(system: System) -> None:
    system.put("/etc/NetworkManager/system-connections/home.nmconnection", b"psk=12345678\n", 0o600)
    system.put("/etc/own/a")
    system.put("/etc/own/b")
    system.put("/etc/mixed/mine")
    (system.root / "etc/mixed/theirs").symlink_to("/etc/static/mixed/theirs")
    assert levels(system) == {
        b"/etc/NetworkManager/system-connections": Level.SECRET,
        b"/etc/own": Level.NORMAL,
        b"/etc/mixed/mine": Level.NORMAL,
    }


def test_the_name_of_a_directory_tells_of_what_is_in_it(system: System) -> None:
    system.put("/home/alice/.local/share/gamey/saves/slot1")
    system.put("/var/lib/issuer/private-keys/a")
    system.put("/var/lib/issuer/other")
    system.put("/etc/shadow-", b"root:x\n", 0o640)
    assert levels(system) == {
        b"/home/alice/.local/share/gamey": Level.IMPORTANT,
        b"/var/lib/issuer": Level.NORMAL,
        b"/var/lib/issuer/private-keys": Level.SECRET,
        b"/etc/shadow-": Level.TRANSIENT,
    }


def test_many_loose_files_are_one_answer_and_a_secret_is_not_among_them(system: System) -> None:
    for number in range(200):
        system.put(f"/home/alice/junk{number}.dat")
    key = system.put("/home/alice/key", PRIVATE_KEY, 0o600)
    known = system.put("/home/alice/.gitconfig", b"[user]\n")
    assert levels(system) == {
        b"/home/alice": Level.IMPORTANT,
        key: Level.SECRET,
        known: Level.NORMAL,
    }
    assert leaks(system)[b"/home/alice"].files == 200


def test_documents_are_one_answer(system: System) -> None:
    for number in range(30):
        system.put(f"/home/alice/Documents/{number}.odt")
    found = leaks(system)[b"/home/alice/Documents"]
    assert (found.level, found.files, found.scope) == (Level.IMPORTANT, 30, Scope.SHARED)


def test_a_file_with_two_names_is_counted_once_and_holes_not_at_all(system: System) -> None:
    system.put("/var/lib/unheard/one", b"x" * 5000)
    (system.root / "var/lib/unheard/two").hardlink_to(system.root / "var/lib/unheard/one")
    with (system.root / "var/lib/unheard/holes").open("wb") as file:
        file.truncate(10_000_000_000)
    assert leaks(system)[b"/var/lib/unheard"].size == 5000


def test_sorted_by_care_then_size(system: System) -> None:
    system.put("/var/lib/small/x", b"x")
    system.put("/var/lib/large/x", b"x" * 100)
    system.put("/var/lib/careful/x", PRIVATE_KEY, 0o600)
    found = [path for path in leaks(system) if path.startswith(b"/var")]
    assert found == [b"/var/lib/careful/x", b"/var/lib/large", b"/var/lib/small"]


def test_questions_narrow_the_answer(system: System) -> None:
    system.put("/var/lib/old/x")
    os.utime(system.root / "var/lib/old/x", (1_000_000_000, 1_000_000_000))
    system.put("/var/lib/new/x")
    assert b"/var/lib/old" not in leaks(system, since="2020-01-01")
    assert b"/var/lib/new" in leaks(system, since="2020-01-01")
    assert list(leaks(system, paths=(b"/var/lib/old",))) == [b"/var/lib/old"]
    assert not leaks(system, user="nobody-of-that-name")
    assert not leaks(system, least=Level.SECRET)


def test_any_byte_may_be_in_a_name(system: System) -> None:
    hostile = b"/var/lib/\x1b[31m\n\xff\x80 '\"\\"
    system.put(hostile + b"/x")
    found = answer(question(system), None)
    written = json.loads(json.dumps(leaks_json.leaks(found)))
    (leak,) = (each for each in written["leaks"] if each["path"].startswith("/var"))
    assert leak["path_b64"]
    exported = b"".join(export(os.fsencode(system.root), [(hostile, found.leaks[0].kind)]))
    tree = json.loads(exported.decode(errors="surrogateescape"))
    assert tree[3][0]["name"] == os.fsdecode(os.fsencode(system.root))


def test_a_tree_may_be_deeper_than_a_path_is_long(system: System) -> None:
    directory = os.open(system.root / "var/lib", os.O_RDONLY)
    name = b"d" * 200
    for _ in range(40):
        os.mkdir(name, dir_fd=directory)
        deeper = os.open(name, os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = deeper
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=directory))
    os.close(directory)
    assert leaks(system)[b"/var/lib/" + name].files == 1
    subprocess.run(["rm", "-rf", system.root / "var/lib"], check=True)


def test_the_answer_has_the_form_that_is_documented(system: System) -> None:
    system.put("/var/lib/unheard/x")
    written = leaks_json.leaks(answer(question(system, detailed=True), None))
    assert set(written) == set(get_type_hints(leaks_json.LeaksAnswer))
    assert set(written["leaks"][0]) == set(get_type_hints(leaks_json.LeakJson)) - {"path_b64"}
    page = DOCS.read_text(encoding="utf-8")
    section = page[page.index("## imptrace.leaks/1") :]
    for shape in (
        leaks_json.LeaksAnswer,
        leaks_json.LeakJson,
        leaks_json.WriterJson,
        leaks_json.FileSystemJson,
        leaks_json.GapJson,
    ):
        for key in get_type_hints(shape):
            assert f"`{key}`" in section or f'"{key}"' in section or key == "path_b64", key


@pytest.mark.skipif(shutil.which("ncdu") is None, reason="ncdu is not installed")
def test_ncdu_reads_it(system: System, tmp_path: Path) -> None:
    for name in (b"plain", b'\xff\x01 "\\', "\N{SNOWMAN}".encode()):
        system.put(b"/var/lib/unheard/" + name, b"x" * 5000)
    found = answer(question(system), None)
    file = tmp_path / "export"
    paths = [(leak.path, leak.kind) for leak in found.leaks]
    file.write_bytes(b"".join(export(os.fsencode(system.root), paths)))
    done = subprocess.run(["ncdu", "-0", "-f", file, "-o", "-"], capture_output=True, check=True)
    assert done.stdout.count(b'"asize":5000') == 3


@pytest.fixture(name="asked")
def _asked(system: System, ask: Ask) -> Ask:
    """Ask `imptrace leaks` about the small system."""

    def asking(*arguments: str) -> Answer:
        return ask("leaks", "--root", str(system.root), "--ephemeral", "/", *arguments)

    return asking


def test_exit_code_tells_what_matters(system: System, asked: Ask) -> None:
    system.put("/var/lib/unheard/x")
    assert asked("--quiet").code == 0
    system.put("/var/lib/unheard/key", PRIVATE_KEY, 0o600)
    quiet = asked("--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (1, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--since", "yesterdayish"),
        ("--json", "--quiet"),
        ("--level", "urgent"),
        ("--root", "/nowhere"),
    ],
)
def test_an_error_is_one_line(asked: Ask, arguments: tuple[str, ...]) -> None:
    answered = asked(*arguments)
    assert answered.code == 2
    assert (answered.out == "") is ("--json" not in arguments)
    assert answered.err.count("\n") == 1


def test_the_table_names_writer_and_option(system: System, asked: Ask) -> None:
    system.put("/var/lib/postgresql/15/main/PG_VERSION")
    system.put("/var/lib/\x1bmean/x")
    answered = asked("--why", "--set-aside")
    (line,) = (each for each in answered.out.splitlines() if "postgresql" in each)
    assert "postgres (catalogue)" in line
    assert "services.postgresql.persistence" in line
    assert "\x1b" not in answered.out
    assert "--ephemeral says so" in answered.out


def test_what_was_there_before_the_newest_package_is_no_packages(system: System) -> None:
    """Only what was written while packages were installed came with them."""
    day = 86_400
    now = time.time()
    mine = system.put("/etc/own/mine")
    changed = system.put("/etc/theirs.conf", b"changed\n")
    system.put("/etc/theirs/made-by-script")
    installed = system.put("/var/lib/dpkg/info/theirs.list", b"/etc/theirs\n/etc/theirs.conf\n")
    status = b"Package: theirs\nConffiles:\n /etc/theirs.conf " + b"0" * 32 + b"\n"
    newest = system.put("/var/lib/dpkg/status", status)
    times = {mine: 1, changed: 1, b"/etc/theirs/made-by-script": 2, installed: 2, newest: 0}
    for path, days in times.items():
        os.utime(os.fsencode(system.root) + path, (now - days * day,) * 2)
    os.utime(system.root / "etc/passwd", (now - 9 * day,) * 2)
    assert set(levels(system)) == {b"/etc/own", b"/etc/theirs.conf"}


@pytest.mark.parametrize("name", ["dpkg.log", "dpkg.log.1", "dpkg.log.2.gz"])
def test_logs_that_were_rotated_tell_of_installations(system: System, name: str) -> None:
    """A package is set up long after it was unpacked, when many are installed at once."""
    day = 86_400
    now = time.time()
    theirs = system.put("/etc/theirs/made-by-script")
    mine = system.put("/etc/own/mine")
    image = system.put("/etc/old")
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now - 2 * day))
    log = f"{stamp} status installed theirs:amd64 1\nno date at all\n".encode()
    system.put(f"/var/log/{name}", gzip.compress(log) if name.endswith(".gz") else log)
    damaged = system.put("/var/log/dpkg.log.3.gz", gzip.compress(log)[:-9])
    newest = system.put("/var/lib/dpkg/status", b"Package: theirs\n")
    for path, days in {theirs: 2, mine: 1, newest: 0, image: 9, damaged: 9}.items():
        os.utime(os.fsencode(system.root) + path, (now - days * day,) * 2)
    os.utime(system.root / "etc/passwd", (now - 9 * day,) * 2)
    assert b"/etc/own" in levels(system)
    assert b"/etc/theirs" not in levels(system)
