"""Who else uses a path: programs of other runs."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Engine, and_, select

from imptrace.db.codes import OPS, OUTCOMES
from imptrace.db.models import Access, Path, Process, Run
from imptrace.db.records import OtherPrograms
from imptrace.facts.programs import program_name
from imptrace.tracer.events import Op, Outcome

_BATCH = 500
"""Paths in one statement: below every database's limit of bound parameters."""
_REAL = frozenset({Outcome.OK, Outcome.UNKNOWN})
_LOOKS = frozenset({Op.STAT, Op.CONNECT})


def other_programs(
    engine: Engine, paths: Iterable[bytes], *, runs: Collection[int], programs: Collection[bytes]
) -> dict[bytes, OtherPrograms]:
    """Which programs used any of `paths` in runs other than `runs`; those in `programs` left out.

    Only accesses that succeeded count, and looking is no use. Paths without any are left out.
    """
    readers: dict[bytes, set[bytes]] = {}
    writers: dict[bytes, set[bytes]] = {}
    with engine.connect() as connection:
        if connection.scalar(select(Run.id).where(Run.id.not_in(runs)).limit(1)) is None:
            return {}
        for batch in _batches(sorted(paths)):
            statement = (
                select(Path.name, Process.exe, Access.op, Access.outcome)
                .join(Access, Access.path_id == Path.id)
                .join(
                    Process,
                    and_(Process.run_id == Access.run_id, Process.id == Access.process_id),
                )
                .where(Path.name.in_(batch), Access.run_id.not_in(runs))
                .distinct()
            )
            for name, exe, op, outcome in connection.execute(statement):
                if OUTCOMES[outcome] not in _REAL or OPS[op] in _LOOKS:
                    continue
                program = program_name(exe)
                if program not in programs:
                    uses = writers if OPS[op].changes else readers
                    uses.setdefault(name, set()).add(program)
    return {
        path: OtherPrograms(
            readers=tuple(sorted(readers.get(path, ()))),
            writers=tuple(sorted(writers.get(path, ()))),
        )
        for path in readers.keys() | writers.keys()
    }


def _batches(paths: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(paths), _BATCH):
        yield paths[start : start + _BATCH]
