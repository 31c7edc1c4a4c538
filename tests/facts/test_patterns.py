"""One pattern language, read by `recommend`, `diff` and `contribute` alike."""

import pytest

from imptrace.facts.patterns import is_called, matches, matching_top


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (b"/var/lib/redis-a", b"/var/lib/redis-<name>"),
        (b"/var/lib/redis", b"/var/lib/redis-<name>"),
        (b"/var/lib/dokuwiki/data", b"/var/lib/dokuwiki/<name>/data"),
        (b"/home/a/.x/ab.c/key", b"/home/a/.x/*.?/key"),
        (b"/srv/\xff\nx", b"/srv/*"),
    ],
)
def test_what_fits(path: bytes, pattern: bytes) -> None:
    assert matches(path, pattern)
    assert matching_top(path + b"/below/it", pattern) == path


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (b"/var/lib/redis-a/b", b"/var/lib/redis-<name>"),
        (b"/var/lib/redisa", b"/var/lib/redis-<name>"),
        (b"/srv/a/b", b"/srv/*"),
        (b"/srv/a[1]", b"/srv/a1"),
    ],
)
def test_what_does_not_fit(path: bytes, pattern: bytes) -> None:
    assert not matches(path, pattern)


def test_names_of_units_are_matched_in_any_case() -> None:
    assert is_called("Redis-Main.service", ["redis-*.service"])
    assert not is_called("redis", ["redis-*.service", "redis[s]"])
