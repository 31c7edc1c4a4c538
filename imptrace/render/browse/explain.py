"""What the pane says of the node under the cursor."""

from imptrace.facts.levels import Kind
from imptrace.kept.leaks.model import Leak
from imptrace.kept.writers import Writer
from imptrace.render.browse.forest import ForestNode
from imptrace.render.leaks_text import written_by
from imptrace.render.reasons import in_words
from imptrace.render.text import printable
from imptrace.render.words import counted, local_time, size


def explained(node: ForestNode) -> str:
    """Say what a node is, why it is listed, who wrote it, and what keeps it."""
    leak = node.leak
    if node.held is not None:
        return f"{printable(node.path)}\n{size(node.size)}, lost with what it lies in"
    if leak is None:
        inside = list(node.leaks())
        return f"{printable(node.path)}\n{counted(len(inside), 'leak')} in it, {size(node.size)}"
    ending = "/" if leak.kind is Kind.DIRECTORY else ""
    holds = f"{leak.level}, {size(leak.size)} in {counted(leak.files, 'file')}"
    lines = [
        f"{printable(leak.path)}{ending}",
        f"{holds}, of {printable(leak.user)}, changed {local_time(leak.mtime_ns)}",
        f"why: {'; '.join(map(in_words, leak.reasons))}",
        f"written by: {_writers(leak)}",
        f"to keep it: {leak.option or 'nothing that is known'}",
    ]
    return "\n".join(lines)


def _writers(leak: Leak) -> str:
    if len(leak.writers) <= 1 or leak.writers[0].last_ns is None:
        return written_by(leak)
    return ", ".join(map(_writer, leak.writers))


def _writer(writer: Writer) -> str:
    unit = f" ({printable(writer.unit)})" if writer.unit else ""
    when = f" {local_time(writer.last_ns)[:16]}" if writer.last_ns is not None else ""
    return f"{printable(writer.program or writer.user or '?')}{unit}{when}"
