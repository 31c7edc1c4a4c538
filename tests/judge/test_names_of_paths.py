"""Names that programs make of the paths of other files say nothing of what a file itself is."""

import pytest

from imptrace.judge.codes import Code
from imptrace.judge.model import Reason
from imptrace.judge.words import words_of
from imptrace.render.reasons import in_words


@pytest.mark.parametrize(
    "name",
    [b"home.kim.diary.txt", b"-home-kim-diary", b"_home_kim_diary.json", b"%home%kim%diary"],
)
def test_a_path_in_one_word_has_no_words(name: bytes) -> None:
    assert not words_of(name)


@pytest.mark.parametrize("name", [b"diary.txt", b"home-diary_v2.db", b"home.diary", b".diary"])
def test_other_names_have(name: bytes) -> None:
    assert "diary" in words_of(name)


@pytest.mark.parametrize(
    ("directory", "way"),
    [
        (b"/home/kim/Music", "keep the directory that it lies in, /home/kim/Music"),
        (b"/home/kim", "move such files to a directory like Documents, and keep that"),
    ],
)
def test_a_replaced_document_is_kept_with_its_directory(directory: bytes, way: str) -> None:
    figures = {"path": directory + b"/a", "directory": directory}
    assert way in in_words(Reason(code=Code.DOCUMENT_REPLACED, figures=figures))
