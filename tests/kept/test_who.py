"""`imptrace who` where nothing was recorded."""

import json

import pytest
from command_line import Ask


def test_the_catalogue_answers_and_it_says_so(ask: Ask) -> None:
    answered = ask("who", "/var/lib/redis/dump.rdb")
    assert answered.code == 0
    assert "no recorded program touched /var/lib/redis/dump.rdb" in answered.err
    assert answered.out.startswith("redis-server, unit redis.service")
    assert "(known to the catalogue: Redis)" in answered.out
    assert "kept by: services.redis.persistence" in answered.out


def test_the_owner_answers_for_what_nobody_knows(ask: Ask) -> None:
    answered = ask("who", "/proc/1/\nno")
    assert (answered.code, answered.out) == (0, "")
    assert (
        "user root  (its owner)" in ask("who", "/etc/passwd").out
        or "catalogue" in ask("who", "/etc/passwd").out
    )


@pytest.mark.parametrize(
    ("path", "attributed"), [("/var/lib/redis", "catalogue"), ("/", "owner"), ("/no/such", None)]
)
def test_json_says_how_it_is_known(ask: Ask, path: str, attributed: str | None) -> None:
    answer = json.loads(ask("who", path, "--json").out)
    assert answer["attributed"] == attributed
    assert set(answer) == {"schema", "path", "uses", "writers", "attributed", "option"}
