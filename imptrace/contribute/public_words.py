"""Reasons in words that everybody may read.

`imptrace recommend` tells its user which files made it judge as it did. Names of files tell more
about somebody than a commit message should (a network, a project, a contact), so here only counts
and words of the classifier's own are used.
"""

from collections.abc import Iterable

from imptrace.judge.codes import Code
from imptrace.judge.model import Reason

# In each group the first code that a recommendation has is told; the groups are told in order.
_STATE = {
    Code.READ_BACK: "read before it was written",
    Code.MODIFIED: "modified",
    Code.CREATED: "created",
    Code.EXPECTED: "read and opened for writing",
}
_LEVEL = {
    Code.CONTENT: "holds: {hint}",
    Code.HOLDS_SECRET: "holds a secret",
    Code.SECRET_WORD: "named for a secret ({word})",
    Code.DATABASE_WORD: "named like a database ({word})",
    Code.USER_DATA_WORD: "named like something people make ({word})",
    Code.CACHE_TAG: "marked as a cache",
    Code.HISTORY_WORD: "a history of what was typed into a program",
    Code.CACHE_WORD: "named like something that can be made again ({word})",
    Code.REMEMBERS: "in a cache, yet named like something that is not ({word})",
}
_SAFETY = {
    Code.REPLACED_BY_RENAME: "replaced by rename",
    Code.REPLACED_BY_LINK: "replaced by link",
    Code.RECREATED: "deleted and made anew",
    Code.DIRECTORY_REPLACED: "replaced by renaming a directory",
    Code.ONLY_WHEN_ABSENT: "made only where there is none",
    Code.LINK_STANDS: "was written through a symbolic link",
    Code.SYMLINK_REPLACED: "was a symbolic link and became a file",
    Code.DYNAMIC_USER: "the unit has a dynamic user",
}
_SUPPORT = {
    Code.UNIT_DECLARES: "declared by the unit ({property}=)",
    Code.COUNTED: "kept by {repos} of {of} public configurations",
}
_OTHERS = {
    Code.OTHERS_CHANGE: "changed by {count} other programs too",
    Code.OTHERS_READ: "read by {count} other programs too",
    Code.COMMON: "belongs to everybody",
}


def public_reason(reasons: Iterable[Reason]) -> str:
    """Tell, in one line, what was seen of a path and what follows from it."""
    by_code = {Code(reason.code): reason for reason in reversed(list(reasons))}
    groups = (_STATE, _LEVEL, _SAFETY, _SUPPORT, _OTHERS)
    told = [_first(group, by_code) for group in groups]
    return "; ".join(text for text in told if text)


def public_comment(reasons: Iterable[Reason]) -> str:
    """Tell the one thing that whoever reads the file must know."""
    by_code = {Code(reason.code): reason for reason in reversed(list(reasons))}
    told = (_first(group, by_code).partition(" in 1 run")[0] for group in (_SAFETY, _LEVEL))
    return next((text for text in told if text), "")


def _first(group: dict[Code, str], by_code: dict[Code, Reason]) -> str:
    for code, words in group.items():
        if code in by_code:
            return words.format_map(_figures(by_code[code])) + _runs(by_code[code])
    return ""


def _figures(reason: Reason) -> dict[str, object]:
    programs = reason.figures.get("programs", ())
    count = len(programs) if isinstance(programs, tuple) else 1
    return {**reason.figures, "count": count}


def _runs(reason: Reason) -> str:
    runs = reason.figures.get("runs")
    if not isinstance(runs, int):
        return ""
    return " in 1 run" if runs == 1 else f" in {runs:,} runs"
