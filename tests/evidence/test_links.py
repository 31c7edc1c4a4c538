"""A link that a program wrote through is found where it stands, and only if it stood before."""

import os
from pathlib import Path

import pytest

from imptrace.evidence.links import standing_links
from tests.judge.factory import modified, run


def made_before(path: Path, *, by_seconds: float) -> int:
    """Answer with the start of a run that long after the link was made."""
    return path.lstat().st_ctime_ns + int(by_seconds * 1e9)


@pytest.mark.parametrize("place", [".keeperrc", ".config/keeperrc", ".config/keeper/settings"])
@pytest.mark.parametrize(("seconds", "is_found"), [(1.0, True), (-1.0, False)])
def test_a_link_that_is_older_than_the_run(
    tmp_path: Path, place: str, seconds: float, *, is_found: bool
) -> None:
    store, link = tmp_path / "store", tmp_path / "home" / place
    store.write_text("x")
    link.parent.mkdir(parents=True)
    link.symlink_to(store)
    seen = run(modified(os.fsencode(store)))
    started = made_before(link, by_seconds=seconds)
    details = seen.__class__(
        run=seen.run.__class__(
            **{name: getattr(seen.run, name) for name in seen.run.__slots__}
            | {"started_ns": started}
        ),
        processes=seen.processes,
        paths=seen.paths,
        mounts=(),
    )
    found = standing_links([details], [os.fsencode(tmp_path / "home")])
    assert found == ({os.fsencode(store): os.fsencode(link)} if is_found else {})


def test_links_to_what_nobody_changed_are_none(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "loop").symlink_to("loop")
    started = run(modified(b"/elsewhere"))
    assert standing_links([started], [os.fsencode(tmp_path), b"/not/there"]) == {}
