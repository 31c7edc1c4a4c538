"""The commands that dump databases: which path has which."""

import pytest

from imptrace.catalogue import dump_commands, shipped

PG = "runuser -u postgres -- pg_dumpall"
REDIS = "redis-cli --rdb -"


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        (b"/var/lib/postgresql", (PG,)),
        (b"/var/lib/postgresql/15/main", (PG,)),
        (b"/var/lib/postgresql-other", ()),
        (b"/var/lib/ldap", ("slapcat -n 1",)),
        (b"/var/lib/redis", (REDIS,)),
        (b"/var/lib/redis-cache", ()),
        (b"/var/lib/vaultwarden/rsa_key.pem", ()),
        (b"/var/lib/bitwarden_rs", ("sqlite3 /var/lib/bitwarden_rs/db.sqlite3 '.backup FILE'",)),
        (b"/etc/NetworkManager", ()),
    ],
)
def test_path_has_the_command_of_its_database(path: bytes, commands: tuple[str, ...]) -> None:
    assert dump_commands(path, shipped(), lambda _: False) == commands


def test_directory_above_has_those_that_are_there() -> None:
    there = {b"/var/lib/postgresql", b"/var/lib/redis"}
    assert set(dump_commands(b"/var/lib", shipped(), there.__contains__)) == {PG, REDIS}
    assert dump_commands(b"/var/lib", shipped(), lambda _: False) == ()
