"""docs/database.md tells of every table, column and code that there is."""

import re
import sqlite3
from pathlib import Path

import pytest
from recordings import access, record

from imptrace.db import codes, version
from imptrace.db.models import Base
from imptrace.tracer.events import AccessFlag, Op

PAGE = (Path(__file__).parents[2] / "docs" / "database.md").read_text(encoding="utf-8")
PARTS = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
SECTIONS = {part.split(":")[0].strip(): part for part in PARTS}


def test_every_table_has_its_section() -> None:
    assert set(SECTIONS) == set(Base.metadata.tables)
    assert f"schema `{version.HEAD}`" in PAGE


@pytest.mark.parametrize("table", Base.metadata.tables)
def test_every_column_is_explained(table: str) -> None:
    columns = {column.name for column in Base.metadata.tables[table].columns}
    assert columns - {"run_id"} <= set(re.findall(r"`(\w+)`", SECTIONS[table])) | {
        "path_id",
        "process_id",
    }


def test_every_code_is_explained() -> None:
    for section, coded in (("access", codes.OPS), ("access", codes.OUTCOMES)):
        listed = ", ".join(f"{code} {value}" for code, value in sorted(coded.items()))
        assert listed in SECTIONS[section]
    types = ", ".join(f"{code} {value}" for code, value in sorted(codes.FILE_TYPES.items()))
    assert types in SECTIONS["file_state"]


def test_every_flag_is_explained() -> None:
    bits = re.findall(r"^\| (\d+) \|", SECTIONS["access"], flags=re.MULTILINE)
    assert set(map(int, bits)) == {flag.value for flag in AccessFlag}


def test_the_example_works(place: Path) -> None:
    record(place, [access(Op.WRITE, b"/a", count=2), access(Op.WRITE, b"/b", count=5)])
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
    with sqlite3.connect(place) as connection:
        assert connection.execute(query).fetchall() == [("/b", 5), ("/a", 2)]
    connection.close()
