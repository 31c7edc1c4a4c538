"""An advice compared with what people wrote down of its program.

A program's truth is a set of patterns: what to persist, by level, what never to, and what may be
either (`may`: empty directories of libraries, for which nobody cares). A pattern covers the path
and all below it; the longest matching one wins.

- *recall*: truths that are covered: recommended themselves, or every file that the program left
  in them, and that has no deeper truth, lies in some recommendation. The deepest one counts, and of
  several files the worst.
- *precision*: owned recommendations that are right: their deepest truth is to persist; or they are
  a directory around truths in which the program left nothing that has no truth.
- *level*: covered truths whose covering recommendation has exactly their level.
- *careless*: truths that are important or secret, and covered with less care than that.
- *never*: recommendations whose deepest pattern is one of never.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ["transient", "normal", "important", "secret"]
_CARE = LEVELS[2:]
_MAY = "may"


@dataclass(frozen=True)
class Truth:
    """One pattern of a program's truth; `level` is None for what must never be kept."""

    pattern: str
    level: str | None

    def covers(self, path: str) -> bool:
        """Whether the pattern matches `path` or something above it."""
        return _regex(self.pattern).match(path) is not None


@dataclass(frozen=True)
class Score:
    """What became of one advice."""

    recall: float
    precision: float
    level: float
    careless: int
    never: list[str]
    faults: list[str]


def score(program: Mapping[str, Any], answer: Mapping[str, Any], left: Sequence[str] = ()) -> Score:
    """Compare an answer with a program's truth. `left`: what stands after the session."""
    left = left or program["left_after"]
    truths = [
        *(Truth(path, level) for level in LEVELS for path in program["persist"].get(level, [])),
        *(Truth(path, None) for path in program["never"]),
        *(Truth(path, _MAY) for path in program.get("may", ())),
    ]
    recommendations = [each | {"path": _public(each["path"])} for each in answer["recommendations"]]
    recommended = {each["path"]: each for each in recommendations}
    wanted = [truth for truth in truths if truth.level not in (None, _MAY)]
    covering = {
        truth.pattern: _covering(truth, recommended, _leaves(truth, truths, left))
        for truth in wanted
    }
    enough = [truth for truth in wanted if _is_enough(truth, covering[truth.pattern])]
    exact = [truth for truth in wanted if covering[truth.pattern] == truth.level]
    covered = [truth for truth in wanted if covering[truth.pattern] is not None]
    careless = [truth for truth in covered if truth.level in _CARE and truth not in enough]
    # What the catalogue only declares says nothing of the recording.
    seen = [each for each in recommendations if each["observed"]]
    owned = [each["path"] for each in seen if each["scope"] == "owned"]
    wrong = [path for path in owned if not _is_right(path, truths, left)]
    never = [path for path in recommended if _is_never(path, truths)]
    return Score(
        recall=_share(len(covered), len(wanted)),
        precision=_share(len(owned) - len(wrong), len(owned)),
        level=_share(len(exact), len(covered)),
        careless=len(careless),
        never=never,
        faults=[
            *(f"missing {t.level} {t.pattern}" for t in wanted if t not in covered),
            *(f"wrong {path}" for path in wrong),
            *(
                f"level of {t.pattern} is {covering[t.pattern]}, not {t.level}"
                for t in covered
                if t not in exact
            ),
            *(f"never {path}" for path in never),
        ],
    )


def recorded(program: Mapping[str, Any], left: Sequence[str], seen: Iterable[str]) -> float:
    """Tell what share of what is left of the truths was recorded."""
    truths = [Truth(path, None) for paths in program["persist"].values() for path in paths]
    # A directory of which only the entries changed is no change of its own.
    leaves = [path for path in left if not any(_is_within(o, path) and o != path for o in left)]
    wanted = {path for path in leaves if any(truth.covers(path) for truth in truths)}
    return _share(len(wanted & set(seen)), len(wanted))


def _leaves(truth: Truth, truths: Sequence[Truth], left: Sequence[str]) -> list[str]:
    """List what is left in a truth, without directories that are above other such paths.

    What has a deeper truth counts for that one, as a cache in a directory of data.
    """
    own = {path for path in left if _best(path, truths) in (truth, None)}
    inside = [path for path in left if truth.covers(path)]
    leaves = [path for path in inside if not any(_is_within(o, path) and o != path for o in inside)]
    return [path for path in leaves if path in own] or leaves


def _covering(truth: Truth, recommended: Mapping[str, Any], leaves: Sequence[str]) -> str | None:
    """Tell at which level a truth is covered: the lowest, where several paths cover it."""
    exact = [path for path in recommended if _regex(truth.pattern, whole=True).match(path)]
    if exact:
        return str(recommended[exact[0]]["level"])
    files = [_holder(path, recommended) for path in leaves]
    if not files:
        above = _holder(truth.pattern, recommended)
        return None if above is None else str(recommended[above]["level"])
    if None in files:
        return None
    return min((str(recommended[str(path)]["level"]) for path in files), key=LEVELS.index)


def _public(path: str) -> str:
    """Name a dynamic user's directory as its program does."""
    return re.sub("^/var/(lib|cache|log)/private/", r"/var/\1/", path)


def _holder(path: str, recommended: Mapping[str, Any]) -> str | None:
    return _deepest(recommended, lambda each: _is_within(path, each))


def _is_enough(truth: Truth, level: str | None) -> bool:
    if level is None or truth.level is None:
        return False
    return LEVELS.index(level) >= LEVELS.index(truth.level)


def _is_right(path: str, truths: Sequence[Truth], left: Iterable[str]) -> bool:
    best = _best(path, truths)
    if best is not None:
        return best.level is not None
    if not any(_is_within(truth.pattern, path) for truth in truths if truth.level):
        return False
    inside = [each for each in left if _is_within(each, path)]
    return all(
        _best(each, truths) is not None or any(_is_within(t.pattern, each) for t in truths)
        for each in inside
    )


def _is_never(path: str, truths: Sequence[Truth]) -> bool:
    best = _best(path, truths)
    return best is not None and best.level is None


def _best(path: str, truths: Sequence[Truth]) -> Truth | None:
    """Find the longest pattern that covers `path`."""
    return max(
        (truth for truth in truths if truth.covers(path)),
        key=lambda truth: len(truth.pattern),
        default=None,
    )


def _deepest(paths: Iterable[str], fits: Callable[[str], bool]) -> str | None:
    return max((path for path in paths if fits(path)), key=len, default=None)


def _is_within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + "/")


def _regex(pattern: str, *, whole: bool = False) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(text + ("$" if whole else "(?:/|$)"))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
