"""Collects the runs of a benchmark and works out what its tables say."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.runner import Run

UNTRACED = "untraced"
LEAST_ADDED = 0.001
"""Seconds. Less than this is noise, and a ratio needs something that is more than nothing."""


@dataclass
class Measurements:
    """Seconds per (workload, recorder), in the order of the rounds, and what went wrong."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    program: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """The same of the program itself."""
    problems: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why a recorder has no figure on a workload: `timeout`, or what it broke."""
    missing: dict[str, str] = field(default_factory=dict)
    """Recorders that are not on this machine, and what lacks."""

    def add(self, workload: str, recorder: str, run: Run) -> None:
        self.seconds.setdefault((workload, recorder), []).append(run.seconds)
        self.program.setdefault((workload, recorder), []).append(run.program)

    def median(self, workload: str, recorder: str) -> float | None:
        """Seconds, or None where the recorder did not run through."""
        if (workload, recorder) in self.problems:
            return None
        found = self.seconds.get((workload, recorder))
        return statistics.median(found) if found else None

    def added(self, workload: str, recorder: str) -> float | None:
        """Seconds that the recorder added: the median over rounds of the differences.

        Each round compares with the untraced run of the same round: both then met the same
        weather on the machine.
        """
        traced = self.seconds.get((workload, recorder))
        if not traced or (workload, recorder) in self.problems:
            return None
        untraced = self.seconds[workload, UNTRACED]
        return statistics.median(
            with_it - without for with_it, without in zip(traced, untraced, strict=True)
        )

    def program_percent(self, workload: str, recorder: str) -> float | None:
        """Return what the program itself took longer, from the same pairs of runs."""
        if (workload, recorder) in self.problems:
            return None
        traced, untraced = (self.program.get((workload, each), ()) for each in (recorder, UNTRACED))
        added = [with_it - without for with_it, without in zip(traced, untraced, strict=True)]
        return 100 * statistics.median(added) / statistics.median(untraced) if added else None

    def percent(self, workload: str, recorder: str) -> float | None:
        added, untraced = self.added(workload, recorder), self.median(workload, UNTRACED)
        return None if added is None or untraced is None else 100 * added / untraced

    def added_ratio(self, workload: str, recorder: str, other: str) -> float | None:
        """Return what `recorder` adds as a share of what `other` adds."""
        ours, theirs = self.added(workload, recorder), self.added(workload, other)
        if ours is None or theirs is None:
            return None
        return max(ours, LEAST_ADDED) / max(theirs, LEAST_ADDED)

    def mean_added_ratio(
        self, workloads: Iterable[str], recorder: str, other: str
    ) -> tuple[float | None, int]:
        """Geometric mean of `added_ratio` over the workloads that have one, and their number."""
        ratios = [self.added_ratio(workload, recorder, other) for workload in workloads]
        known = [ratio for ratio in ratios if ratio is not None]
        return (statistics.geometric_mean(known) if known else None), len(known)
