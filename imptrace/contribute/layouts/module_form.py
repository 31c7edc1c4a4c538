"""The form of a module, read from one that exists: the parts that differ between services."""

from dataclasses import dataclass

from tree_sitter import Node

from imptrace.contribute.nix_source import edit, tree
from imptrace.contribute.nix_source.tree import AttrPath, Binding, NixSyntaxError

# Written after when a repository has no module yet whose form can be taken over.
_EXAMPLE = b"""\
{
  config,
  lib,
  ...
}: let
  cfg = config.services.example;
in {
  options.services.example.persistence = lib.mkOption {
    type = lib.types.attrsOf lib.types.raw;
    default = {};
    description = "";
  };

  config = let
    levels = builtins.intersectAttrs config.environment.automaticPersistence cfg.persistence;
    keep = level: paths: {
      ${config.environment.automaticPersistence.${level}.path} = paths;
    };
  in
    lib.mkIf (cfg.enable && levels != {}) {
      environment.persistence = lib.mkMerge (lib.mapAttrsToList keep levels);
    };
}
"""


@dataclass(frozen=True, slots=True)
class Example:
    """The parts of a module that differ from one service to the next."""

    source: bytes
    option: Binding
    """`OPTION.persistence = mkOption {...}`, the option path written in one piece."""
    default: Binding
    description: Binding
    config: Node
    """`config.OPTION`, which is named `cfg`."""
    enable: Node | None
    """`cfg.enable`, the left side of `&&`."""

    @property
    def path(self) -> AttrPath:
        """The option path, as it stands before `.persistence`."""
        return tuple(name for name in self.option.path if name != "options")[:-1]


def read_example(source: bytes) -> Example | None:
    """Find the parts of a module; None where it is not of the plain form."""
    try:
        root = tree.parse(source, "")
    except NixSyntaxError:
        return None
    options = [each for each in persistence_options(root) if each.node is not None]
    cfg = _cfg(root)
    if len(options) != 1 or cfg is None or _remarks(root, options[0]):
        return None
    inner = tree.body(options[0].value).child_by_field_name("argument")
    if inner is None:
        return None
    default, description = (tree.find(inner, (name,)) for name in ("default", "description"))
    if default is None or description is None:
        return None
    example = Example(source, options[0], default, description, cfg, _enable(root))
    named = tree.text(cfg) == "config." + edit.dotted(example.path)
    written_whole = example.option.node.child_by_field_name("attrpath")
    whole = written_whole is not None and tree.text(written_whole).endswith(
        edit.dotted((*example.path, "persistence"))
    )
    return example if named and whole and _uses_of_cfg(root) <= {"persistence", "enable"} else None


def built_in() -> Example:
    """Give the form that is taken where a repository shows none."""
    example = read_example(_EXAMPLE)
    if example is None:
        raise AssertionError("the built-in example must be readable")
    return example


def persistence_options(root: Node) -> list[Binding]:
    """Find the bindings `OPTION.persistence = mkOption {...}`."""
    return [
        binding
        for binding in tree.all_bindings(root)
        if binding.path[-1] == "persistence"
        and binding.path[0] == "options"
        and tree.body(binding.value).type == "apply_expression"
        and tree.text(tree.body(binding.value)).lstrip("(").startswith(("mkOption", "lib.mkOption"))
    ]


def _cfg(root: Node) -> Node | None:
    """Find what `cfg` is bound to in the outermost `let`."""
    node: Node | None = root
    if node is not None and node.type == "function_expression":
        node = node.child_by_field_name("body")
    if node is None or node.type != "let_expression":
        return None
    return next((each.value for each in tree.bindings(node) if each.path == ("cfg",)), None)


def _remarks(root: Node, option: Binding) -> bool:
    """Whether there are comments that speak of this service rather than of its paths."""
    inner = tree.body(option.value).child_by_field_name("argument")
    default = inner and tree.find(inner, ("default",))
    return any(
        default is None or not default.node.start_byte <= comment.start_byte < default.node.end_byte
        for comment in tree.comments(root)
    )


def _enable(root: Node) -> Node | None:
    """Find `cfg.enable` on the left side of an `&&`."""
    for node in tree.walk(root):
        if node.type == "binary_expression":
            left = node.child_by_field_name("left")
            if left is not None and tree.text(left) == "cfg.enable":
                return left
    return None


def _uses_of_cfg(root: Node) -> set[str]:
    """Collect the attributes of `cfg` that a module uses."""
    used = set()
    for node in tree.walk(root):
        if node.type == "select_expression":
            base, attrpath = node.child_by_field_name("expression"), None
            if base is not None and tree.text(base) == "cfg":
                attrpath = node.child_by_field_name("attrpath")
            if attrpath is not None:
                used.add(tree.text(attrpath))
    return used
