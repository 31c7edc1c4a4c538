"""An advice as Nix, for whichever module persists things on the user's system."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from imptrace.errors import UsageError
from imptrace.facts.paths import is_within, parents_of, relative_to
from imptrace.facts.people import Home
from imptrace.facts.units import private_parent
from imptrace.judge.codes import Code
from imptrace.judge.model import (
    Advice,
    Kind,
    Level,
    Method,
    NixosPlace,
    Reason,
    Recommendation,
    Scope,
)
from imptrace.render.nix_entries import (
    of_impermanence,
    of_options,
    of_preservation,
)
from imptrace.render.nix_text import (
    Comment,
    NotExpressibleError,
    Value,
    attribute_path,
    binding,
    comment,
    string,
)
from imptrace.render.reasons import in_words
from imptrace.render.rehearsed import rehearsed_words
from imptrace.render.text import printable

DEFAULT_STORAGE = b"/persistent"
_SHARED = "Shared with other programs, so only suggested:"
_LEFT_OUT = "Left out:"
_DATABASES = frozenset({Code.LONE_DATABASE, Code.DATABASE_BESIDE})
"""What nothing can keep as a file, not even a copy."""
_REMEDIES = frozenset({Code.NO_ENTRY_WORKS, Code.MIXED_DIRECTORY, Code.DOCUMENT_REPLACED})

EntryWriter = Callable[[Recommendation, bytes], Value]
Contents = dict[str, Value]


class Target(StrEnum):
    """The module that the Nix is for."""

    OPTIONS = "options"
    """OPTION.persistence.LEVEL, as imptrace's own module and nixos-impermanence have it."""
    IMPERMANENCE = "impermanence"
    HOME_MANAGER = "home-manager"
    PRESERVATION = "preservation"


Written = tuple[list[str], list[tuple[Recommendation, str]]]
"""Bindings, and recommendations that do not fit the target, each with the reason."""


def default_target(advice: Advice) -> Target:
    """Choose a known service's own options, else the module for where most of it lies."""
    if advice.subject.service is not None and option_of(advice) is not None:
        return Target.OPTIONS
    home = advice.subject.home
    return Target.HOME_MANAGER if home and not home.is_of_system else Target.IMPERMANENCE


def option_of(advice: Advice) -> str | None:
    """Tell the subject's option; None for one of many instances, whose name nobody knows."""
    option = advice.subject.option
    return None if option is None or "<" in option else option


def nix(
    advices: Sequence[Advice], target: Target | None = None, storage: bytes | None = None
) -> tuple[str, tuple[str, ...]]:
    """Write what is recommended and owned as modules for NixOS or home-manager, one for each kind.

    `target`: the one module to write for; None chooses for each advice what suits it.
    `storage`: where it is kept. Besides the text, what it had to leave out comes back, in words.
    Raises UsageError if the target does not fit the subject.
    """
    by_kind: dict[Target, list[Advice]] = {}
    for advice in advices:
        by_kind.setdefault(target or default_target(advice), []).append(advice)
    texts: dict[str, list[str]] = {}
    left_out: list[str] = []
    for kind, group in by_kind.items():
        # One module holds a list of all directories; an option is each program's own.
        merged = group if kind is Target.OPTIONS else [_merged(group)]
        for advice in merged:
            lines, missing = _body(advice, kind, storage)
            left_out += missing
            texts.setdefault(_file_of(kind, advice), []).extend(lines)
    answers = ["\n".join(["{", *lines, "}"]) if lines else "{ }" for lines in texts.values()]
    if len(answers) > 1:
        answers = [f"# {file}\n{text}" for file, text in zip(texts, answers, strict=True)]
    return "\n\n".join(answers), tuple(left_out)


def _file_of(kind: Target, advice: Advice) -> str:
    """Say which configuration a module goes into."""
    of_home = kind is Target.HOME_MANAGER or (kind is Target.OPTIONS and advice.subject.home)
    return "home-manager, for example home.nix:" if of_home else "NixOS, configuration.nix:"


def _merged(advices: Sequence[Advice]) -> Advice:
    """Put together what several programs keep: what one of them owns is not only suggested."""
    found: dict[bytes, Recommendation] = {}
    for each in (one for advice in advices for one in advice.recommendations):
        there = found.get(each.path)
        is_better = there is None or there.scope is Scope.SHARED
        found[each.path] = each if is_better or there is None else there
    proven = advices[0].rehearsed if len(advices) == 1 else None
    return replace(
        advices[0], rehearsed=proven, recommendations=tuple(found[path] for path in sorted(found))
    )


def _body(
    advice: Advice, target: Target, storage: bytes | None
) -> tuple[list[str], tuple[str, ...]]:
    """Write what stands between the braces, and say what had to be left out."""
    owned = [each for each in advice.recommendations if each.scope is Scope.OWNED]
    here, unnamed = _as_on_nixos(owned)
    expressible, refused = _expressible(here)
    bindings, misfits = _WRITERS[target](advice, expressible, storage)
    left_out = tuple(
        f"{printable(each.path)}: {why}" for each, why in (*unnamed, *refused, *misfits)
    )
    shared = [printable(each.path) for each in advice.recommendations if each.scope is Scope.SHARED]
    remarks = [*_remarks(_LEFT_OUT, left_out), *_remarks(_SHARED, shared)]
    proven = []
    if advice.rehearsed is not None and bindings:
        proven = [f"  {comment(rehearsed_words(advice.rehearsed))}"]
    return [*proven, *bindings, *remarks], left_out


def _as_on_nixos(
    recommendations: Sequence[Recommendation],
) -> tuple[list[Recommendation], list[tuple[Recommendation, str]]]:
    """Put what was seen in another distribution's place where NixOS has it.

    Where that is one of many places, whose names the configuration gives, it is split off.
    """
    kept: dict[bytes, Recommendation] = {}
    unnamed = []
    moved = [each for each in recommendations if each.on_nixos is not None]
    for each in recommendations:
        place = each.on_nixos
        if (place is None or place.is_pattern) and _is_below_another(each, moved):
            # It moves with its directory.
            continue
        if place is not None and place.is_pattern:
            where = printable(place.path)
            unnamed.append((each, f"NixOS keeps it in {where}, so name that with your own names"))
            continue
        here = each if place is None else _moved(each, place)
        there = kept.get(here.path)
        if there is None or here.level > there.level:
            kept[here.path] = here
    return list(kept.values()), unnamed


def _moved(each: Recommendation, place: NixosPlace) -> Recommendation:
    return replace(
        each,
        path=place.path,
        kind=place.kind,
        user=place.user,
        group=place.group,
        mode=place.mode,
        method=place.method,
        reasons=(_seen_in(each.path), *each.reasons),
    )


def _seen_in(path: bytes) -> Reason:
    return Reason(code=Code.SEEN_ELSEWHERE, figures={"path": path})


def _expressible(
    recommendations: Iterable[Recommendation],
) -> tuple[list[Recommendation], list[tuple[Recommendation, str]]]:
    """Split off the paths that no Nix string can hold."""
    kept, refused = [], []
    for each in recommendations:
        try:
            string(each.path)
        except NotExpressibleError:
            refused.append((each, "Nix cannot name it, because it is not UTF-8"))
        else:
            kept.append(each)
    return kept, refused


def _options(
    advice: Advice, recommendations: Sequence[Recommendation], storage: bytes | None
) -> Written:
    option = option_of(advice)
    if option is None:
        raise UsageError(
            "no option is known that this could be written to; "
            "use --target impermanence, home-manager or preservation"
        )
    is_home = advice.subject.home is not None
    fitting = [each for each in recommendations if (each.home is not None) is is_home]
    bindings = []
    if storage is not None:
        scope = "home" if is_home else "environment"
        path = attribute_path(scope, "automaticPersistence", Level.NORMAL.value, "path")
        bindings.append(binding(path, storage, 1))
    entries = [each for each in fitting if _has_entry(each, fitting)]
    alone = [each for each in entries if _is_lone_database(each)]
    entries = [each for each in entries if each not in alone]
    levels: Contents = {}
    for level in Level:
        of_level = [each for each in entries if each.level is level]
        contents = _contents(of_level, of_options, fitting, is_home=is_home, with_level=False)
        levels |= _nested(level.value, contents)
    if levels:
        bindings += _binding(f"{option}.persistence", levels)
    where = "in a home directory" if not is_home else "outside the home directory"
    misfits = [each for each in recommendations if each not in fitting]
    left_out = [(each, f"{where}, which {option} does not cover") for each in misfits]
    return bindings, [*((each, _remedy(each)) for each in alone), *left_out]


def _is_lone_database(each: Recommendation) -> bool:
    return any(reason.code in _DATABASES for reason in each.reasons)


def _has_entry(each: Recommendation, among: Sequence[Recommendation]) -> bool:
    """Whether a path is mounted by itself: not a file whose directory is kept anyway.

    What a program keeps in one directory belongs together: a database of which one file is missing
    is a broken one.
    """
    return each.kind is Kind.DIRECTORY or not _is_below_another(each, among)


def _impermanence(
    advice: Advice, recommendations: Sequence[Recommendation], storage: bytes | None
) -> Written:
    del advice
    store = storage or DEFAULT_STORAGE
    kept, left_out = _mountable(recommendations)
    contents = _with_users(kept, of_impermanence, recommendations)
    bindings = _binding(f"environment.persistence.{string(store)}", contents) if contents else []
    bindings += _closed_directories(store, kept)
    return bindings, left_out


def _preservation(
    advice: Advice, recommendations: Sequence[Recommendation], storage: bytes | None
) -> Written:
    del advice
    store = storage or DEFAULT_STORAGE
    kept, left_out = _mountable(recommendations)
    contents = _with_users(kept, of_preservation, recommendations)
    path = f"preservation.preserveAt.{string(store)}"
    return _binding(path, contents) if contents else [], left_out


def _home_manager(
    advice: Advice, recommendations: Sequence[Recommendation], storage: bytes | None
) -> Written:
    del advice
    store = storage or DEFAULT_STORAGE
    at_home = [each for each in recommendations if each.home is not None]
    kept, left_out = _mountable(at_home)
    contents = _contents(kept, of_impermanence, recommendations, is_home=True)
    outside = [(each, "not in a home directory") for each in recommendations if each.home is None]
    path = f"home.persistence.{string(store)}"
    return _binding(path, contents) if contents else [], [*left_out, *outside]


def _closed_directories(store: bytes, kept: Sequence[Recommendation]) -> list[str]:
    """Bindings that close the private parents of what is kept, on both sides of the store.

    systemd refuses the state, cache or logs of a dynamic user where others can read them.
    """
    parents = {parent for each in kept if (parent := private_parent(each.path)) is not None}
    settings: Contents = {
        f"{string(path)}.d.mode": "0700"
        for parent in sorted(parents)
        for path in (parent, store + parent)
    }
    return [binding("systemd.tmpfiles.settings.imptrace", settings, 1)] if settings else []


def _mountable(
    recommendations: Sequence[Recommendation],
) -> tuple[list[Recommendation], list[tuple[Recommendation, str]]]:
    """Sort out what one store can hold: nothing below its directories, no replaced files."""
    outermost = [each for each in recommendations if not _is_below_another(each, recommendations)]
    kept = [each for each in outermost if each.method is not Method.NONE]
    replaced = [each for each in outermost if each.method is Method.NONE]
    return kept, [(each, _remedy(each)) for each in replaced]


def _remedy(each: Recommendation) -> str:
    """Say why a file can have no entry, and what to do instead."""
    databases = [reason for reason in each.reasons if reason.code in _DATABASES]
    remedies = databases or [reason for reason in each.reasons if reason.code in _REMEDIES]
    return "; ".join(map(in_words, remedies or each.reasons[-1:]))


def _is_below_another(each: Recommendation, others: Iterable[Recommendation]) -> bool:
    directories = {one.path for one in others if one.kind is Kind.DIRECTORY}
    return any(parent in directories for parent in parents_of(each.path))


def _with_users(
    recommendations: Sequence[Recommendation],
    entry: EntryWriter,
    everything: Sequence[Recommendation],
) -> Contents:
    """Directories and files of the system, then those of each user."""
    of_system = [each for each in recommendations if _home(each) is None]
    contents = _contents(of_system, entry, everything, is_home=False)
    homes = [home for each in recommendations if (home := _home(each)) is not None]
    for user in sorted({home.user for home in homes}):
        of_user = [each for each in recommendations if each.home and each.home.user == user]
        listed = _contents(of_user, entry, everything, is_home=True)
        contents |= _nested(attribute_path("users", user), listed)
    return contents


def _contents(
    recommendations: Sequence[Recommendation],
    entry: EntryWriter,
    everything: Sequence[Recommendation],
    *,
    is_home: bool,
    with_level: bool = True,
) -> Contents:
    """List directories and files. `everything`: parts of them that have no entry, too.

    `is_home`: the module joins each to the home directory.
    """
    contents: Contents = {}
    for name, kind in (("directories", Kind.DIRECTORY), ("files", Kind.FILE)):
        entries: list[Value | Comment] = []
        for each in recommendations:
            if each.kind is kind:
                home = each.home if is_home else None
                path = each.path if home is None else relative_to(each.path, home.path)
                remark = _remark(each, everything, with_level=with_level)
                entries += (remark, entry(each, path))
        if entries:
            contents[name] = entries
    return contents


def _home(each: Recommendation) -> Home | None:
    """Tell whose files a path is among: root's are the system's."""
    return None if each.home is None or each.home.is_of_system else each.home


def _remark(
    each: Recommendation, everything: Sequence[Recommendation], *, with_level: bool
) -> Comment:
    """Say why a path is kept, and which more careful levels parts of it would deserve."""
    reason = in_words(each.reasons[0])
    inside = [one for one in everything if is_within(one.path, each.path) and one is not each]
    parts = [one for one in inside if one.level > each.level and one.kind is Kind.FILE]
    levels = " and ".join(
        level.value for level in Level if any(one.level is level for one in parts)
    )
    words = [f"{each.level}: {reason}" if with_level else reason]
    if levels:
        words.append(f"parts of it are {levels}")
    return comment("; ".join(words))


def _nested(name: str, contents: Contents) -> Contents:
    """`name.directories = ...` where there is one attribute, `name = { ... }` where are more."""
    if len(contents) == 1:
        return {f"{name}.{key}": value for key, value in contents.items()}
    return {name: contents} if contents else {}


def _binding(path: str, contents: Contents) -> list[str]:
    return [binding(key, value, 1) for key, value in _nested(path, contents).items()]


def _remarks(heading: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    return [f"  {comment(each)}" for each in (heading, *(f"- {line}" for line in lines))]


_WRITERS = {
    Target.OPTIONS: _options,
    Target.IMPERMANENCE: _impermanence,
    Target.HOME_MANAGER: _home_manager,
    Target.PRESERVATION: _preservation,
}
