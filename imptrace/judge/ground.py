"""What shaping needs to know of the surroundings, from what was judged."""

from imptrace.db.records import MAYBE_DONE, AccessRecord, PathRecord
from imptrace.facts.paths import parent_of
from imptrace.judge.judge import Judged
from imptrace.judge.level import tagged_caches
from imptrace.judge.roots import Ground
from imptrace.tracer.events import AccessFlag, Op


def ground_of(judged: Judged) -> Ground:
    """Collect the directories that were made, tagged as caches, or hold others' files."""
    seen = judged.seen
    was_read = _WasRead()
    return Ground(
        places=judged.places,
        names=judged.names,
        made=frozenset(
            path for path, facts in seen.changed.items() if facts.is_directory and facts.created
        ),
        tagged=tagged_caches((*seen.changed, *seen.looked_at)),
        read_only_beside=frozenset(
            parent_of(path) for path, record in seen.looked_at.items() if was_read.of(record)
        ),
        is_private=judged.is_private,
    )


class _WasRead:
    """Tells whether the content of a file was read, rather than a directory listed."""

    def __init__(self) -> None:
        self._alike: dict[int, bool] = {}

    def of(self, record: PathRecord) -> bool:
        """Answer for a path; those to which the same was done may share their accesses."""
        key = id(record.accesses)
        if key not in self._alike:
            self._alike[key] = any(map(_reads, record.accesses))
        return self._alike[key]


def _reads(access: AccessRecord) -> bool:
    return (
        access.op is Op.READ
        and access.outcome in MAYBE_DONE
        and AccessFlag.DIRECTORY not in access.flags
    )
