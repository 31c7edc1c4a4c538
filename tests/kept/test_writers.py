"""Who wrote a path: the record before units, units before the catalogue, that before the owner."""

import pytest

from imptrace.catalogue import shipped
from imptrace.db.changers import Changer
from imptrace.judge.known import Knowledge
from imptrace.judge.places import Places
from imptrace.kept.inventory import InventoryRow
from imptrace.kept.writers import Attributed, Attribution, Writers

PLACES = Places()
KNOWLEDGE = Knowledge(shipped(), PLACES)
REDIS = b"/var/lib/redis"
UNIT = InventoryRow(
    "/var/lib/redis", "state", "normal", ("redis-cache.service StateDirectory",), None
)


def asked(path: bytes, *changers: Changer, units: tuple[InventoryRow, ...] = ()) -> Attribution:
    writers = Writers(units=units, users={998: "redis"}, recorded=lambda _path: changers)
    return writers.of(path, KNOWLEDGE.about(path), 998, PLACES.place_of(path))


def test_the_record_comes_first_and_who_bears_the_name_before_who_wrote_most() -> None:
    helper = Changer(b"cp", None, 0, 90, 5)
    server = Changer(b"redis-server", "redis.service", 998, 3, 7)
    found = asked(REDIS, helper, server, units=(UNIT,))
    assert found.attributed is Attributed.RECORDED
    assert [writer.program for writer in found.writers] == [b"redis-server", b"cp"]
    assert found.writers[0].unit == "redis.service"
    assert found.writers[0].last_ns == 7


def test_a_unit_declares_all_below_its_directory() -> None:
    found = asked(REDIS + b"/dump.rdb", units=(UNIT,))
    assert found.attributed is Attributed.DECLARED
    assert found.writers[0].unit == "redis-cache.service"


def test_the_catalogue_knows_the_program() -> None:
    found = asked(REDIS)
    assert found.attributed is Attributed.CATALOGUE
    assert found.writers[0].program == b"redis-server"


@pytest.mark.parametrize(
    ("path", "program"), [(b"/var/lib/python3", b"python3"), (b"/srv/python3", None)]
)
def test_else_the_owner_and_the_program_that_it_is_named_for(
    path: bytes, program: bytes | None
) -> None:
    found = asked(path)
    assert found.attributed is Attributed.OWNER
    assert (found.writers[0].user, found.writers[0].program) == ("redis", program)
