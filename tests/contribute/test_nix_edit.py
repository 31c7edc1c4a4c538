"""Nix source is changed at the places that the grammar names, and nowhere else."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imptrace.contribute.layouts.module_new import nix_string
from imptrace.contribute.nix_source import edit as nix_edit
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.contribute.nix_source.edit import Item
from imptrace.contribute.nix_source.tree import NixSyntaxError, find, parse

INDENT = "  "


def extended(source: str, *items: Item) -> str:
    """Put items into the list `x` of an attribute set."""
    data = source.encode()
    binding = find(parse(data, "test.nix"), ("x",))
    assert binding is not None
    return nix_edit.apply(data, nix_edit.extend_list(data, binding.value, items)).decode()


def test_a_list_in_one_line_gets_a_line_for_each_element() -> None:
    """The comment of a new element needs a line of its own, so the others get one too."""
    assert extended('{\n  x = ["/a" "/b"];\n}\n', Item('"/c"', "why")) == (
        '{\n  x = [\n    "/a"\n    "/b"\n    # why\n    "/c"\n  ];\n}\n'
    )


def test_an_element_goes_behind_the_last_comment_of_a_list() -> None:
    """Comments stay with the element that they stand behind."""
    source = '{\n  x = [\n    # first\n    "/a" # beside\n    # after\n  ];\n}\n'
    assert extended(source, Item('"/b"')) == source.replace("# after\n", '# after\n    "/b"\n')


@pytest.mark.parametrize("empty", ["[]", "[ ]", "[\n  ]"])
def test_an_empty_list_is_filled(empty: str) -> None:
    """Whatever stands between the brackets gives way."""
    assert extended(f"{{\n  x = {empty};\n}}\n", Item('"/a"')) == '{\n  x = [\n    "/a"\n  ];\n}\n'


def test_a_bracket_that_shares_the_last_line_gets_its_own() -> None:
    """Otherwise it would end up behind the new element, inside the comment's line."""
    source = '{\n  x = [\n    "/a"\n    "/b"];\n}\n'
    assert extended(source, Item('"/c"')) == '{\n  x = [\n    "/a"\n    "/b"\n    "/c"\n  ];\n}\n'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{\n  a = 1; # one\n  c = 3;\n}", "{\n  a = 1; # one\n  b = 2;\n  c = 3;\n}"),
        ("{\n  a = 1;\n}", "{\n  a = 1;\n  b = 2;\n}"),
        ("{\n  a = 1; # one\n}", "{\n  a = 1; # one\n  b = 2;\n}"),
    ],
)
def test_a_binding_goes_behind_another(source: str, expected: str) -> None:
    """A comment at the end of the line stays with the binding before it."""
    data = source.encode()
    root = parse(data, "test.nix")
    after = find(root, ("a",))
    edits = nix_edit.insert_binding(data, root, "b = 2;", after)
    assert nix_edit.apply(data, edits).decode() == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{}", "{\n  b = 2;\n}"),
        ("{\n  # why\n  c = 3;\n}", "{\n  # why\n  b = 2;\n  c = 3;\n}"),
    ],
)
def test_a_binding_goes_first(source: str, expected: str) -> None:
    """Into an empty set, or before all others."""
    data = source.encode()
    edits = nix_edit.insert_binding(data, parse(data, "test.nix"), "b = 2;")
    assert nix_edit.apply(data, edits).decode() == expected


def test_a_path_is_found_dotted_nested_and_quoted() -> None:
    """How an attribute path is written makes no difference."""
    root = parse(b'{ a.b = { "c d" = { e = 1; }; }; }', "test.nix")
    binding = find(root, ("a", "b", "c d", "e"))
    assert binding is not None
    assert nix_tree.text(binding.value) == "1"


def test_bindings_are_found_inside_functions_lets_and_withs() -> None:
    """A NixOS module is a function whose body is often a `let`."""
    root = parse(b"{ lib, ... }: let y = 1; in with lib; ({ a = { b = 2; }; })", "test.nix")
    assert [each.path for each in nix_tree.all_bindings(root)] == [("a",), ("a", "b")]


@pytest.mark.parametrize("source", ["{ a, b, }: a", "{\n  a,\n  ...\n}:\na", "{ a ? 1, }@args: a"])
def test_formals_may_end_with_a_comma(source: str) -> None:
    """As every formatter writes them."""
    assert parse(source.encode(), "test.nix").type == "function_expression"


@pytest.mark.parametrize(
    ("source", "line"), [("{\n  a = ;\n}", 2), ("{\n  a = 1\n}", 2), ("{ a = [ 1; }", 1), ("", 1)]
)
def test_a_mistake_is_refused_by_file_and_line(source: str, line: int) -> None:
    """Nothing is edited that could not be read as a whole."""
    with pytest.raises(NixSyntaxError, match=r"'x\.nix'") as caught:
        parse(source.encode(), "x.nix")
    assert f":{line}:" in str(caught.value) or "no Nix expression" in str(caught.value)


def test_deeply_nested_source_is_no_problem() -> None:
    """A file from outside must not be able to exhaust the stack."""
    depth = 5000
    root = parse(b"{ a = " * depth + b"1" + b"; }" * depth, "test.nix")
    assert sum(1 for _ in nix_tree.walk(root)) > depth


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_a_string_is_read_as_it_was_written(value: str) -> None:
    """Quotes, backslashes and `${` are escaped, and nothing else is touched."""
    value = value.replace("\r", "")
    source = f"{{ x = {nix_string(value)}; }}".encode()
    binding = find(parse(source, "test.nix"), ("x",))
    assert binding is not None
    assert nix_tree.string_value(binding.value) == value


@pytest.mark.nix
@pytest.mark.parametrize("value", ["a${b}", '"', "\\", "$${x}", "a\nb", "ü ''", "\\${", "$"])
def test_nix_reads_the_same_string(value: str) -> None:
    """The last word on what a string means is Nix's own."""
    done = subprocess.run(
        ["nix-instantiate", "--eval", "--json", "--strict", "-E", nix_string(value)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == value


@pytest.mark.parametrize(
    ("names", "name", "place"),
    [(["a", "c"], "b", 1), (["a", "c"], "d", 2), (["c", "a"], "b", 2), ([], "b", 0)],
)
def test_the_alphabet_is_followed_where_it_rules(names: list[str], name: str, place: int) -> None:
    """A list in another order is continued at its end."""
    assert nix_edit.sorted_place(names, name) == place
