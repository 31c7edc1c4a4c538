"""The order of the levels is what every comparison of care rests on."""

from imptrace.facts.levels import Level


def test_levels_rise_from_transient_to_secret() -> None:
    """A secret asks for more care than anything else, a transient path for the least."""
    assert sorted([Level.SECRET, Level.NORMAL, Level.IMPORTANT, Level.TRANSIENT]) == [
        Level.TRANSIENT,
        Level.NORMAL,
        Level.IMPORTANT,
        Level.SECRET,
    ]
    assert max(Level.NORMAL, Level.IMPORTANT) is Level.IMPORTANT


def test_a_level_prints_as_its_word() -> None:
    """Messages and JSON show the word that the catalogue uses."""
    assert f"{Level('secret')}" == "secret"
