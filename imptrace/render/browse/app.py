"""A tree to walk through, mark, and leave with what was marked."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Input, Static, Tree
from textual.widgets.tree import TreeNode

from imptrace.facts.levels import Kind, Level
from imptrace.kept.leaks.model import Leak
from imptrace.render.browse.explain import explained
from imptrace.render.browse.forest import ForestNode, SortOrder, forest, matching
from imptrace.render.text import printable
from imptrace.render.words import counted, size

_STYLES = {Level.SECRET: "bold red", Level.IMPORTANT: "yellow", Level.TRANSIENT: "dim"}
_OPEN = 40
"""With so few leaks all of the tree is open from the start."""


class LeakTree(Tree[ForestNode]):
    """With the columns of what opens and of what does not below each other."""

    def render_label(self, node: TreeNode[ForestNode], base_style: Style, style: Style) -> Text:
        """Draw a line of the tree."""
        label = super().render_label(node, base_style, style)
        if node.allow_expand:
            return label
        return Text.assemble((" " * cell_len(self.ICON_NODE), base_style), label)


class Browser(App[tuple[bytes, ...] | None]):
    """Answers with the paths that were marked, if they are to be written; else with None."""

    CSS = """
    Tree { height: 1fr; }
    #about { height: 7; border-top: solid gray; padding: 0 1; }
    #wanted { display: none; border: none; height: 1; padding: 0 1; }
    #wanted.asked { display: block; }
    #told { height: 1; padding: 0 1; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "mark", "keep"),
        Binding("i", "ignore", "ignore"),
        Binding("w", "write", "write Nix"),
        Binding("s", "sort", "sort"),
        Binding("slash", "filter", "filter"),
        Binding("t", "transient", "transient"),
        Binding("q", "quit", "quit"),
        Binding("escape", "leave_filter", show=False),
    ]

    def __init__(
        self,
        leaks: Iterable[Leak],
        summary: str,
        ignore: Callable[[bytes], bytes],
        look: Callable[[bytes], list[ForestNode]],
    ) -> None:
        """Browse `leaks`.

        `ignore` writes a path down for good, and answers with the file; `look` answers with what
        lies in a directory, the largest first.
        """
        super().__init__()
        self._leaks = list(leaks)
        self._summary = summary
        self._ignore = ignore
        self._look = look
        self._order = SortOrder.CARE
        self._wanted = ""
        self._with_transient = False
        self.marked: dict[bytes, None] = {}

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="told", markup=False)
        yield Input(placeholder="words of a path, level, program or user", id="wanted")
        yield LeakTree("/")
        with VerticalScroll(id="about"):
            yield Static(id="words", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Fill the tree."""
        self._tree.show_root = False
        self._fill()
        self._tree.focus()

    @property
    def _tree(self) -> LeakTree:
        return self.query_one(LeakTree)

    def _shown(self) -> list[Leak]:
        leaks = matching(self._leaks, self._wanted)
        return [each for each in leaks if self._with_transient or each.level > Level.TRANSIENT]

    def _fill(self, at: bytes | None = None) -> None:
        """Draw the tree anew, the cursor where it was."""
        leaks = self._shown()
        tree = self._tree
        tree.clear()
        self._grow(tree.root, forest(leaks), is_open=len(leaks) <= _OPEN)
        tree.root.expand()
        self._tell()
        self.call_after_refresh(self._go_to, at)

    def _grow(self, branch: TreeNode[ForestNode], node: ForestNode, *, is_open: bool) -> None:
        for each in node.ordered(self._order):
            if each.inside:
                deeper = branch.add(self._label(each), each, expand=is_open)
                self._grow(deeper, each, is_open=is_open)
            elif each.leak is not None and each.leak.kind is Kind.DIRECTORY:
                branch.add(self._label(each), each)
            else:
                branch.add_leaf(self._label(each), each)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[ForestNode]) -> None:
        """Look into a directory when somebody wants to."""
        node, branch = event.node.data, event.node
        if node is None or node.inside or branch.children:
            return
        for each in self._look(node.path):
            if each.is_directory:
                branch.add(self._label(each), each)
            else:
                branch.add_leaf(self._label(each), each)

    def _go_to(self, path: bytes | None) -> None:
        tree = self._tree
        nodes = [tree.get_node_at_line(line) for line in range(max(0, tree.last_line) + 1)]
        lines = [
            node.line for node in nodes if node is not None and node.data and node.data.path == path
        ]
        tree.cursor_line = lines[0] if lines else 0
        self._explain(tree.cursor_node)

    def _label(self, node: ForestNode) -> Text:
        leak = node.leak
        is_directory = node.is_directory if leak is None else leak.kind is Kind.DIRECTORY
        mark = "[k] " if node.path in self.marked else ""
        level = leak.level.value if leak is not None else ""
        name = printable(node.name) + ("/" if is_directory else "")
        style = _STYLES.get(node.level, "") if node.held is None else ""
        return Text.assemble(f"{size(node.size):>6}  {level:<9}  {mark}", (name, style))

    def _tell(self, said: str = "") -> None:
        marked = f"  {len(self.marked)} marked" if self.marked else ""
        wanted = f"  filter: {printable(self._wanted)}" if self._wanted else ""
        text = (
            said or f"{counted(len(self._shown()), 'leak')} by {self._order.value}{marked}{wanted}"
        )
        self.query_one("#told", Static).update(f"{text}  {'' if said else self._summary}")

    def _explain(self, node: TreeNode[ForestNode] | None) -> None:
        text = explained(node.data) if node is not None and node.data is not None else "nothing"
        self.query_one("#words", Static).update(text)

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[ForestNode]) -> None:
        """Explain what is under the cursor."""
        self._explain(event.node)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the tree with each key."""
        self._wanted = event.value
        self._fill()

    def on_input_submitted(self) -> None:
        """Go back to the tree, narrowed."""
        self._end_filter()

    def action_filter(self) -> None:
        """Ask for words."""
        wanted = self.query_one(Input)
        wanted.add_class("asked")
        wanted.focus()

    def action_leave_filter(self) -> None:
        """Show all again."""
        self.query_one(Input).value = ""
        self._end_filter()

    def _end_filter(self) -> None:
        self.query_one(Input).remove_class("asked")
        self._tree.focus()

    def _current(self) -> ForestNode | None:
        node = self._tree.cursor_node
        return None if node is None else node.data

    def action_mark(self) -> None:
        """Mark what is to be kept, or no longer; of a directory around leaks, all of them."""
        node = self._current()
        if node is None:
            return
        paths = (
            [leak.path for leak in node.leaks()] if node.inside and not node.leak else [node.path]
        )
        if all(path in self.marked for path in paths):
            for path in paths:
                del self.marked[path]
        else:
            self.marked.update(dict.fromkeys(paths))
        self._relabel(self._tree.root)
        self._tell()
        self._tree.action_cursor_down()

    def _relabel(self, branch: TreeNode[ForestNode]) -> None:
        for each in branch.children:
            if each.data is not None:
                each.set_label(self._label(each.data))
            self._relabel(each)

    def action_ignore(self) -> None:
        """Leave it out from now on."""
        node = self._current()
        if node is None:
            return
        try:
            file = self._ignore(node.path)
        except OSError as error:
            self._tell(f"not ignored: {error.strerror}")
            return
        gone = {leak.path for leak in node.leaks()}
        self._leaks = [leak for leak in self._leaks if leak.path not in gone]
        self.marked = {path: None for path in self.marked if path not in gone}
        self._fill()
        self._tell(f"ignored for good, in {printable(file)}")

    def action_sort(self) -> None:
        """Sort by the next thing."""
        node = self._current()
        self._order = self._order.following
        self._fill(node.path if node is not None else None)

    def action_transient(self) -> None:
        """Show also what can be made again, or no longer."""
        self._with_transient = not self._with_transient
        self._fill()

    def action_write(self) -> None:
        """Leave with what was marked; with nothing marked, say so."""
        if self.marked:
            self.exit(tuple(self.marked))
        else:
            self._tell("nothing is marked: k marks what to keep")
