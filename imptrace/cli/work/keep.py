"""What `imptrace keep` does."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE

import typer

from imptrace.cli.asked import Asked, asked, nothing_known
from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json
from imptrace.contribute.git import Git
from imptrace.contribute.keeping.answer import answer as keep_answer
from imptrace.contribute.keeping.evaluate import NotEvaluatedError, evaluation
from imptrace.contribute.keeping.new_file import new_file, where
from imptrace.contribute.keeping.plan import (
    ConfigurationChange,
    add,
    configuration_files,
    remove,
    top_of,
)
from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.given import read_regular
from imptrace.facts.units import private_parent
from imptrace.judge.model import Recommendation
from imptrace.kept.lone_path import homes
from imptrace.render.kept_change import diff
from imptrace.render.text import printable

NOT_DONE = 1


def keep(
    *,
    what: list[str],
    config: Path | None,
    store: str | None,
    take_out: bool,
    yes: bool,
    dry_run: bool,
    json: bool,
    database: str | None,
) -> int:
    """Do what imptrace.cli.keep was asked, where each option is explained."""
    files = configuration_files(config)
    found = asked(what, database)
    unknown = list(nothing_known(found))
    for each in unknown:
        say(each)
    wanted = [each for one in found for each in one.recommendations]
    if take_out:
        change = remove([each.path for each in wanted], files, homes())
    else:
        wanted = _without_options(found, files)
        options = {
            each.path: one.entry.option
            for one in found
            if one.entry is not None and one.entry.option
            for each in one.recommendations
        }
        change = add(wanted, files, store, options)
        _place_rest(change, files, store)
        _tell_of_private_parents(wanted, change, files)
    _tell(change)
    evaluated = _evaluate(change, config) if change.sources else None
    if not json and change.sources:
        answer(diff(change.sources), pager=False)
    is_written = bool(change.sources) and _written(change, yes=yes, dry_run=dry_run)
    if json:
        answer_json(keep_answer(change, evaluated, is_written=is_written))
    is_done = is_written or dry_run or not change.sources
    is_whole = not (change.refused or unknown) or (dry_run and bool(change.sources))
    return 0 if is_done and is_whole else NOT_DONE


def _written(change: ConfigurationChange, *, yes: bool, dry_run: bool) -> bool:
    """Write the change, where that is wanted."""
    for file in change.sources:
        if _is_dirty(file):
            say(f"{printable(str(file))} has changes that are not committed")
    if dry_run or not (yes or _agreed()):
        return False
    for file, (_, new) in change.sources.items():
        _write(file, new)
    say(f"written: {', '.join(printable(str(file)) for file in change.sources)}")
    return True


def _evaluate(change: ConfigurationChange, config: Path | None) -> str | None:
    """Let Nix say that only what was asked for changes, as far as it can; and how it did.

    Raises ImptraceError.
    """
    try:
        how = evaluation(change.sources, top_of(config), change.own_options)
    except NotEvaluatedError as error:
        say(f"not evaluated, only parsed: {printable(str(error))}")
        return None
    say(f"evaluated before and after ({how}): only what was asked for changes")
    return how


def _without_options(found: list[Asked], files: list[Path]) -> list[Recommendation]:
    """Leave out services that imptrace's own module keeps where it is imported."""
    has_module = any(b"automaticPersistence" in _source(file) for file in files)
    wanted: list[Recommendation] = []
    for one in found:
        option = one.entry.option if one.entry is not None else None
        if has_module and option and "<" not in option and one.units:
            say(f"{one.name}: {option}.persistence keeps it wherever {option} is enabled")
        else:
            wanted += one.recommendations
    return wanted


def _source(file: Path) -> bytes:
    """Read a file; one that cannot be read is told of with the others that were not."""
    try:
        return read_regular(file)
    except OSError:
        return b""


def _place_rest(change: ConfigurationChange, files: list[Path], store: str | None) -> None:
    """Give what has no place a file of its own."""
    if not change.placeless:
        return
    if not files:
        raise UsageError("there is no Nix file there: name the configuration with --config")
    if len(files) == 1 and change.unread:
        raise UsageError(change.unread[0])
    path = where(files)
    if path.exists():
        raise ImptraceError(f"{path} exists and keeps nothing that could be extended: look at it")
    storage = os.fsencode(store) if store and store.startswith("/") else b"/persistent"
    written = new_file(change.placeless, None, storage)
    change.sources[path] = (b"", (written + "\n").encode())
    say(f"no place for it is there: a new file, imported by: imports = [ ./{path.name} ];")


def _tell_of_private_parents(
    wanted: list[Recommendation], change: ConfigurationChange, files: list[Path]
) -> None:
    """Say what the state of a dynamic user needs besides: systemd refuses it where others read."""
    done = {path for path, _ in (*change.kept, *change.refused)}
    parents = {private_parent(each.path) for each in wanted if each.path not in done}
    written = b"".join([*map(_source, files), *(new for _, new in change.sources.values())])
    for parent in sorted(each for each in parents if each is not None):
        name = os.fsdecode(parent)
        if f'"{name}"'.encode() not in written:
            line = f'systemd.tmpfiles.settings.imptrace."{name}".d.mode = "0700";'
            say(f"{name} must be closed, or systemd refuses what lies in it; add: {line}")


def _tell(change: ConfigurationChange) -> None:
    for path, by in change.kept:
        say(f"{printable(path)} is kept already: {printable(by)}")
    for path, why in change.refused:
        say(f"{printable(path)} is left out: {why}")
    for unread in change.unread:
        say(f"not read: {printable(unread)}")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        say("nothing was written: --yes writes it, --dry-run only looks")
        return False
    return typer.confirm("Write it?", default=False, err=True)


def _is_dirty(file: Path) -> bool:
    if shutil.which("git") is None:
        return False
    try:
        changed = Git(file.parent).run("status", "--porcelain", "--", file.name)
    except ImptraceError:
        return False  # no repository
    return bool(changed.strip()) and file.exists()


def _write(file: Path, source: bytes) -> None:
    """Put a whole file in the place of the old one, with its mode."""
    directory, name = os.path.split(os.path.realpath(file))
    try:
        # By descriptors: root may write where a user puts links in the way meanwhile.
        held = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _replace(held, name, source)
        finally:
            os.close(held)
    except OSError as error:
        raise ImptraceError(f"{file} cannot be written: {error.strerror}") from error


def _replace(directory: int, name: str, source: bytes) -> None:
    new = f".{name}.imptrace"
    with suppress(FileNotFoundError):
        os.unlink(new, dir_fd=directory)  # of a time that was interrupted
    try:
        old = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        old = None
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(new, flags, 0o666 if old is None else 0o600, dir_fd=directory)
    with open(descriptor, "wb") as file:
        file.write(source)
        if old is not None:
            if os.geteuid() == 0:
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, S_IMODE(old.st_mode))
    os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
