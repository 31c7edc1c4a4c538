"""The ten workloads: real programs on generated data, one to three seconds each untraced.

Two are shorter, because their size is part of what is measured: so many small files of mail, and
so many calls.

Each is a shell script that runs in an empty directory. `$DATA` holds what `prepare` made, once.
What the script leaves in its directory (standard output included) is its result: a recorder
that changes it has broken the program.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import datasets

SMALL_FILES = 50_000
TREE_FILES = 40_000
REPOSITORY_FILES = 12_000
LOOP_ROUNDS = 20_000
LOOP_CALLS = 3 * LOOP_ROUNDS


@dataclass(frozen=True)
class Workload:
    """A program to run, and how to make what it needs in the directory `$DATA`."""

    name: str
    title: str
    prepare: Callable[[Path], object]
    script: str


def small_files(data: Path) -> None:
    datasets.write_tree(data / "tree", SMALL_FILES, seed="small files")


def large_tree(data: Path) -> None:
    datasets.write_tree(data / "tree", TREE_FILES, seed="large tree")


WORKLOADS = (
    Workload(
        "copy",
        f"cp -r of {SMALL_FILES:,} small files",
        small_files,
        'cp -r "$DATA/tree" copy',
    ),
    Workload(
        "tar",
        f"tar and untar of {SMALL_FILES:,} small files",
        small_files,
        'tar -C "$DATA" -cf tree.tar tree; tar -xf tree.tar; rm tree.tar',
    ),
    Workload(
        "compile",
        "compiling 30 C files",
        lambda data: datasets.write_c_files(data / "src", 30),
        'for file in "$DATA"/src/*.c; do gcc -O1 -c "$file"; done',
    ),
    Workload(
        "git",
        f"git clone and status of {REPOSITORY_FILES:,} files",
        lambda data: datasets.write_repository(data / "repository", REPOSITORY_FILES, 40),
        'git clone -q --no-local "$DATA/repository" clone; git -C clone status;'
        " git -C clone rev-parse HEAD",
    ),
    Workload(
        "bash",
        "300 rounds of small commands in bash",
        lambda data: (data / "words").write_text("one\ntwo\nthree\n" * 30),
        r"""exec bash -euc '
        for round in {1..300}; do
            sort "$DATA/words" | uniq -c > counted
            sed s/one/1/ counted > "changed$((round % 7))"
            cp "changed$((round % 7))" last; ls -l > listing; rm listing; basename "$PWD/x"
        done'""",
    ),
    Workload(
        "python",
        "three Python starts with heavy imports",
        lambda _: None,
        'for start in 1 2 3; do "$PYTHON" -c "'
        "import alembic.command, asyncio, ctypes, email.mime.text, http.server, multiprocessing,"
        " rich.console, sqlalchemy.orm, sqlite3, ssl, typer, unittest.mock, xml.dom.minidom;"
        ' print(len(dir(sqlalchemy.orm)))"; done',
    ),
    Workload(
        "find",
        f"find and grep over {TREE_FILES:,} files",
        large_tree,
        'find "$DATA/tree" -type f -name "*7*" -size +1k | wc -l;'
        " for word in needle17 needle4242 needle99 nothing; do"
        ' grep -rlw "$word" "$DATA/tree" | sort; done',
    ),
    Workload(
        "mail",
        "20,000 each of small creates, appends, reads and deletes",
        lambda data: datasets.compile_program("small_files", data),
        'exec "$DATA/small_files" 80000',
    ),
    Workload(
        "sqlite",
        "sqlite3, 20,000 transactions",
        lambda data: (data / "insert.sql").write_text(
            # Waiting for the disk would hide what a recorder adds.
            "PRAGMA synchronous=OFF; CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);\n"
            + "".join(f"INSERT INTO t (name) VALUES ('name {i}');\n" for i in range(20_000))
        ),
        'sqlite3 new.db < "$DATA/insert.sql"; sqlite3 new.db "SELECT count(*), sum(id) FROM t"',
    ),
    Workload(
        "calls",
        f"a loop of {LOOP_CALLS:,} path syscalls",
        lambda data: datasets.compile_program("path_calls", data),
        f'exec "$DATA/path_calls" {LOOP_ROUNDS}',
    ),
)
