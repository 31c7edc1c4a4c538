"""Every reason that a rule can give can be told in words."""

from imptrace.judge.codes import Code
from imptrace.render import reasons


def test_every_code_has_words() -> None:
    assert set(Code) == set(reasons._WORDS)
