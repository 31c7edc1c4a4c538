"""What the workloads work on: generated, and the same bytes every time."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parent
FILES_PER_DIRECTORY = 100


def compile_program(name: str, into: Path) -> Path:
    """Compile benchmarks/NAME.c; return the executable."""
    program = into / name
    source = SOURCES / f"{name}.c"
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o", program, source], check=True)
    return program


def write_tree(root: Path, files: int, *, seed: str) -> None:
    """Make `files` small text files, a hundred to a directory."""
    source = random.Random(seed)
    for number in range(files):
        directory = root / f"section-{number // FILES_PER_DIRECTORY:03}"
        if number % FILES_PER_DIRECTORY == 0:
            directory.mkdir(parents=True)
        (directory / f"entry-{number:05}.txt").write_text(text(source))


def text(source: random.Random) -> str:
    """Return some lines of random words, 0.3 to 4 kB."""
    lines = source.randrange(10, 100)
    return "".join(
        f"{source.getrandbits(96):x} needle{source.randrange(5000)}\n" for _ in range(lines)
    )


def write_c_files(root: Path, files: int) -> None:
    """Make C files that include what real ones do and give the optimiser some work."""
    root.mkdir()
    for number in range(files):
        functions = "\n".join(c_function(number, index) for index in range(12))
        (root / f"unit{number:02}.c").write_text(C_HEADERS + functions)


C_HEADERS = """\
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
"""


def c_function(file: int, index: int) -> str:
    """Source of one function with a loop, a switch and calls into the C library."""
    return f"""
int work_{file}_{index}(const char *text, size_t length)
{{
    unsigned sum = {file * 31 + index};
    for (size_t i = 0; i < length; i++) {{
        switch ((unsigned char)text[i] % {index + 3}) {{
        case 0: sum += text[i]; break;
        case 1: sum ^= sum << {index + 1}; break;
        default: sum = sum * 33 + (unsigned)strlen(text + i);
        }}
    }}
    char line[64];
    snprintf(line, sizeof(line), "%u", sum);
    return atoi(line);
}}
"""


def write_repository(root: Path, files: int, commits: int) -> None:
    """Make a git repository with a tree of `files` and a history of `commits`."""
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    stream = "".join(history(files, commits)).encode()
    subprocess.run(["git", "-C", root, "fast-import", "--quiet"], input=stream, check=True)
    subprocess.run(["git", "-C", root, "reset", "-q", "--hard", "main"], check=True)


def history(files: int, commits: int) -> Iterator[str]:
    """Yield a stream for git fast-import: every commit changes its share of the files."""
    source = random.Random("history")
    for commit in range(commits):
        yield (
            "commit refs/heads/main\n"
            f"committer A Programmer <programmer@example.org> {1700000000 + commit} +0000\n"
            "data 6\nChange\n"
        )
        for number in range(files):
            if commit == 0 or number % commits == commit:
                content = text(source)
                yield f"M 644 inline src/{number % 83}/file{number}.txt\n"
                yield f"data {len(content)}\n{content}\n"
