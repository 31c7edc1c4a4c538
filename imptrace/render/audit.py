"""An inventory of what is declared and kept, as a table and as JSON."""

from imptrace.kept.inventory import SCHEMA, Inventory, InventoryRow
from imptrace.render.screen import Screen
from imptrace.render.text import printable


def table(inventory: Inventory, screen: Screen, *, everything: bool) -> str:
    """Show what is lost, or every row, with who declares it and what keeps it."""
    rows = inventory.rows if everything else inventory.lost
    cells = [_cells(row) for row in rows]
    return "\n".join(
        screen.table(("LEVEL", "PATH", "KEPT BY", "DECLARED BY"), cells) if cells else []
    )


def _cells(row: InventoryRow) -> tuple[str, str, str, str]:
    kept_by = row.kept_by or ("excepted" if row.is_excepted else "nothing")
    return (
        row.level,
        printable(row.path),
        printable(kept_by),
        printable(", ".join(row.declared_by)),
    )


def summary(inventory: Inventory) -> str:
    """Say in one line how many paths there are, how many are lost, and how many mounts."""
    mounts = "" if inventory.mounts is None else f", {inventory.mounts} mounts"
    return (
        f"{len(inventory.rows)} paths declared, {len(inventory.lost)} of level normal or higher "
        f"kept by nothing{mounts}"
    )


def answer(inventory: Inventory) -> dict[str, object]:
    """Write `imptrace.inventory/1`."""
    return {
        "schema": SCHEMA,
        "mounts": inventory.mounts,
        "lost": len(inventory.lost),
        "inventory": [_json(row) for row in inventory.rows],
    }


def _json(row: InventoryRow) -> dict[str, object]:
    return {
        "path": printable(row.path),
        "kind": row.kind,
        "level": row.level,
        "declaredBy": list(row.declared_by),
        "keptBy": row.kept_by,
        "store": row.store,
        "isExcepted": row.is_excepted,
    }
