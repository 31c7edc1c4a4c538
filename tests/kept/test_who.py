"""`imptrace who` where nothing was recorded."""

import json

import pytest
from command_line import Ask


def test_the_catalogue_answers_and_it_says_so(ask: Ask) -> None:
    answered = ask("who", "/var/lib/redis/dump.rdb")
    assert answered.code == 0
    assert answered.err == ""
    assert answered.out.startswith("redis-server, unit redis.service")
    assert "(known to the catalogue: Redis; no recording saw it)" in answered.out
    assert "to keep it: services.redis.persistence" in answered.out


def test_the_owner_answers_for_what_nobody_knows(ask: Ask) -> None:
    answered = ask("who", "/proc/1/\nno")
    assert (answered.code, answered.out) == (0, "")
    assert (
        "user root  (its owner; no recording saw it)" in ask("who", "/etc/passwd").out
        or "catalogue" in ask("who", "/etc/passwd").out
    )


def test_nobody_need_be_able_to_read_it(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_args, **_options: False)
    assert ask("who", "/etc/passwd").code == 0


@pytest.mark.parametrize(
    ("path", "attributed"), [("/var/lib/redis", "catalogue"), ("/", "owner"), ("/no/such", None)]
)
def test_json_says_how_it_is_known(ask: Ask, path: str, attributed: str | None) -> None:
    answer = json.loads(ask("who", path, "--json").out)
    assert answer["attributed"] == attributed
    assert set(answer) == {"schema", "path", "uses", "writers", "attributed", "option"}
