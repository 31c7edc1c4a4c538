"""The tree of changed paths moves as a real directory would."""

from hypothesis import given
from hypothesis import strategies as st

from imptrace.db.changed_tree import ChangedTree

NAMES = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=4).map(
    lambda parts: b"/" + b"/".join(parts)
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "rename", "exchange"]), NAMES, NAMES), max_size=25
)


def moved(paths: set[bytes], old: bytes, new: bytes) -> dict[bytes, bytes]:
    return {path: new + path[len(old) :] for path in paths if path.startswith(old + b"/")}


def nested(one: bytes, other: bytes) -> bool:
    return (one + b"/").startswith(other + b"/") or (other + b"/").startswith(one + b"/")


@given(STEPS)
def test_it_agrees_with_a_plain_set_of_paths(steps: list[tuple[str, bytes, bytes]]) -> None:
    tree, model = ChangedTree(), set[bytes]()
    for step, one, other in steps:
        if step == "add":
            tree.add(one)
            model.add(one)
            continue
        # The kernel refuses to move a directory into itself, and what is not there.
        if nested(one, other) or not any(p == one or p.startswith(one + b"/") for p in model):
            continue
        expected = moved(model, one, other)
        if step == "exchange":
            expected |= moved(model, other, one)
            gone = {one, other, *expected}
            carried = tree.exchange(one, other)
            model = (model - gone) | {one, other} | set(expected.values())
        else:
            gone = {one, *expected, *moved(model, other, other)}
            carried = tree.rename(one, other)
            model = (model - gone) | {other} | set(expected.values())
        assert sorted(carried) == sorted(expected.items())
        assert all(path in tree for path in model)
        assert not any(path in tree for path in gone - model)


def test_a_path_that_was_deleted_is_not_carried() -> None:
    tree = ChangedTree()
    tree.add(b"/d/kept")
    tree.add(b"/d/gone")
    tree.discard(b"/d/gone")
    assert tree.rename(b"/d", b"/e") == [(b"/d/kept", b"/e/kept")]


def test_a_name_that_begins_alike_is_not_below() -> None:
    tree = ChangedTree()
    tree.add(b"/dir/f")
    tree.add(b"/dir-2/f")
    assert tree.rename(b"/dir", b"/x") == [(b"/dir/f", b"/x/f")]
