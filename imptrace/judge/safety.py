"""How files are written, and so how they can be kept: the rules of bind mounts and links.

A file that is replaced (renamed over, linked over, deleted and made anew) can be no bind mount
(EBUSY), and a symbolic link in its place becomes an ordinary file. A file that its program makes
only when there is none must be seen to be absent at the first start.
"""

from collections.abc import Callable, Iterable

from imptrace.judge.codes import Code
from imptrace.judge.model import Method, Reason
from imptrace.judge.path_facts import PathFacts
from imptrace.tracer.events import MAKING_OPS, AccessFlag, FileType, Op


def hazards_of(path: bytes, facts: PathFacts) -> tuple[Reason, ...]:
    """Everything seen that stands against keeping this one path by itself, the gravest first."""
    if facts.target is not None:
        return (Reason(code=Code.LINK_STANDS, figures={"path": path, "target": facts.target}),)
    replacing = [reason for rule in _REPLACING_RULES if (reason := rule(path, facts)) is not None]
    absent = only_when_absent(path, facts) if not replacing else None
    return tuple(replacing) if absent is None else (absent,)


def method_for(hazards: Iterable[Reason]) -> Method:
    """How an entry for a path with these hazards has to be made."""
    codes = {reason.code for reason in hazards}
    if codes & _REPLACING:
        return Method.NONE
    return Method.SYMLINK if codes & _LINKED else Method.BIND


def replaced_by_rename(path: bytes, facts: PathFacts) -> Reason | None:
    """Another name was renamed over a file that was there: `prefs.js.tmp` -> `prefs.js`."""
    if facts.is_directory or not facts.renamed_from or _is_made_once(facts):
        return None
    return Reason(
        code=Code.REPLACED_BY_RENAME,
        figures={
            "path": path,
            "origin": facts.renamed_from[0],
            "count": facts.ops.get(Op.RENAME, 0),
        },
    )


def replaced_by_link(path: bytes, facts: PathFacts) -> Reason | None:
    """A nameless file (O_TMPFILE) was linked in its place: no rename is seen at all."""
    if facts.is_directory or AccessFlag.TMPFILE not in facts.flags:
        return None
    return Reason(code=Code.REPLACED_BY_LINK, figures={"path": path})


def directory_replaced(path: bytes, facts: PathFacts) -> Reason | None:
    """The whole directory was renamed into place: a mount point cannot be."""
    if not facts.is_directory or not facts.renamed_from:
        return None
    figures = {"path": path, "origin": facts.renamed_from[0]}
    return Reason(code=Code.DIRECTORY_REPLACED, figures=figures)


def recreated(path: bytes, facts: PathFacts) -> Reason | None:
    """It was deleted or renamed away, and made again: a mount point allows neither."""
    is_removed = Op.DELETE in facts.ops or facts.moved_to is not None
    if not is_removed or _MAKES.isdisjoint(facts.ops) or not facts.is_there:
        return None
    return Reason(code=Code.RECREATED, figures={"path": path})


def symlink_replaced(path: bytes, facts: PathFacts) -> Reason | None:
    """A symbolic link stood there, and an ordinary file took its place."""
    if facts.type_before is not FileType.SYMLINK or facts.type is not FileType.FILE:
        return None
    return Reason(code=Code.SYMLINK_REPLACED, figures={"path": path})


def only_when_absent(path: bytes, facts: PathFacts) -> Reason | None:
    """Made with O_EXCL, or after looking and finding nothing, and then left alone."""
    if facts.is_directory or not facts.created or facts.modified:
        return None
    is_checked = AccessFlag.EXCLUSIVE in facts.flags or facts.missing_first
    if not is_checked and not (facts.renamed_from and _is_made_once(facts)):
        return None
    return Reason(code=Code.ONLY_WHEN_ABSENT, figures={"path": path})


def _is_made_once(facts: PathFacts) -> bool:
    """A rename that made the file where there was none, while later runs left it alone.

    One run cannot tell: who writes by rename once mostly does so always. Nor can runs of which
    one made the file and another replaced it.
    """
    was_left_alone = facts.runs > facts.created and not facts.modified
    return facts.ops.get(Op.RENAME) == 1 and facts.created == 1 and was_left_alone


_MAKES = MAKING_OPS | {Op.RENAME}

_REPLACING_RULES: tuple[Callable[[bytes, PathFacts], Reason | None], ...] = (
    replaced_by_rename,
    replaced_by_link,
    directory_replaced,
    symlink_replaced,
    recreated,
)

_LINKED = frozenset({Code.ONLY_WHEN_ABSENT, Code.LINK_STANDS})

_REPLACING = frozenset(
    {
        Code.REPLACED_BY_RENAME,
        Code.REPLACED_BY_LINK,
        Code.DIRECTORY_REPLACED,
        Code.SYMLINK_REPLACED,
        Code.RECREATED,
    }
)
