"""What shaping needs to know of the surroundings, from what was judged."""

from imptrace.classify.judge import Judged
from imptrace.classify.level import tagged_caches
from imptrace.classify.paths import parent_of
from imptrace.classify.shape import Ground
from imptrace.db.records import PathRecord
from imptrace.tracer.events import AccessFlag, Op, Outcome


def ground_of(judged: Judged) -> Ground:
    """Collect the directories that were made, tagged as caches, or hold others' files."""
    seen = judged.seen
    return Ground(
        places=judged.places,
        names=judged.names,
        made=frozenset(
            path for path, facts in seen.changed.items() if facts.is_directory and facts.created
        ),
        tagged=tagged_caches((*seen.changed, *seen.looked_at)),
        read_only_beside=frozenset(
            parent_of(path) for path, record in seen.looked_at.items() if _was_read(record)
        ),
        is_private=judged.is_private,
    )


def _was_read(record: PathRecord) -> bool:
    """Whether the content of a file was read, rather than a directory listed."""
    return any(
        access.op is Op.READ
        and access.outcome in (Outcome.OK, Outcome.UNKNOWN)
        and AccessFlag.DIRECTORY not in access.flags
        for access in record.accesses
    )
