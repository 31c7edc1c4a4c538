"""Since when a change in a service's state is no work of the boot any more."""

from pathlib import Path

import pytest

from imptrace.catalogue import Entry, shipped
from imptrace.kept.boot import AFTER_AT_MOST, Boot
from imptrace.kept.leaks.served import Served, StartedService, started_services

UP = 1_000
BOOT = Boot(100, 9_000, UP)
AT_IT = Boot(100, 9_000)


@pytest.fixture(name="redis", scope="module")
def _redis() -> Entry:
    return shipped().find("redis")


def started(
    active_ns: int = 500,
    name: str = "redis-server.service",
    *,
    tells: bool = True,
    is_triggered: bool = False,
) -> StartedService:
    return StartedService(
        names=(name,), active_ns=active_ns, tells=tells, is_triggered=is_triggered
    )


@pytest.mark.parametrize(
    ("boot", "service", "is_roots", "since"),
    [
        pytest.param(BOOT, started(), False, UP, id="up with the boot"),
        pytest.param(BOOT, started(), True, None, id="root does much by itself"),
        pytest.param(BOOT, started(tells=False), False, None, id="may begin still"),
        pytest.param(BOOT, started(UP + 1, tells=False), True, UP, id="somebody started it"),
        pytest.param(BOOT, started(UP + 1, is_triggered=True), True, None, id="by its timer"),
        pytest.param(BOOT, started(name="other.service"), False, None, id="another service"),
        pytest.param(AT_IT, started(), True, 500 + AFTER_AT_MOST, id="the boot does not end"),
        pytest.param(AT_IT, started(name="other.service"), False, None, id="nothing is known"),
    ],
)
def test_what_a_service_wrote_is_its_own(
    redis: Entry, boot: Boot, service: StartedService, is_roots: bool, since: int | None
) -> None:
    assert Served(boot, [service]).since_ns(redis, is_roots=is_roots) == since


def test_systemd_is_asked_when_it_started_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What never ran is left out; an alias names a unit too."""
    fake = tmp_path / "systemctl"
    fake.write_text(
        "#!/bin/sh\ncat <<'END'\n"
        "Type=notify\nId=redis-server.service\nNames=redis-server.service redis.service\n"
        "TriggeredBy=\nActiveEnterTimestampMonotonic=5000000\n\n"
        "Type=simple\nId=never.service\nNames=never.service\nActiveEnterTimestampMonotonic=0\n\n"
        "Type=oneshot\nId=timed.service\nNames=timed.service\nTriggeredBy=timed.timer\n"
        "ActiveEnterTimestampMonotonic=6000000\nEND\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    redis, timed = started_services()
    assert "redis.service" in redis.names
    assert (redis.tells, redis.is_triggered) == (True, False)
    assert (timed.tells, timed.is_triggered) == (False, True)
    assert 0 < timed.active_ns - redis.active_ns < 2_000_000_000
