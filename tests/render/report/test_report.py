"""The page of `imptrace report`, in a real browser."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from imptrace.facts.levels import Level
from imptrace.render.report import Report, ReportRow, page
from imptrace.render.report.model import DatedChange

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = b"/var/lib/<img src=x onerror=document.title='broken'>&amp;\"'\n\x1b\xff</script>"
browser = pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")


def report(paths: int = 3) -> Report:
    levels = [level.value for level in Level]
    rows = [
        ReportRow(
            b"/var/lib/service%d" % n,
            "directory",
            levels[n % 4],
            "1 kB",
            "serviced",
            "option",
            "why",
        )
        for n in range(8)
    ]
    rows.append(
        ReportRow(HOSTILE, "file", "secret", "1 B", "<b>who</b>", "<i>how</i>", "<u>why</u>")
    )
    tree = {
        b"/home/someone/.cache/program/%03d/entry%d" % (n // 100, n): "read-only"
        for n in range(paths)
    }
    tree |= {row.path: row.level for row in rows}
    return Report(
        title="a <title> & more",
        summary="summary",
        rows=tuple(rows),
        tree=tree,
        programs={b"<b>": {HOSTILE: 2}, b"serviced": {b"/var/lib/service1": 1}},
        changes=(DatedChange(10, "secret"), DatedChange(20_000_000_000, "normal")),
    )


def shown(text: str, directory: Path, script: str = "") -> str:
    """Open a page in the browser, do something in it, and answer with what it has become."""
    assert BROWSER is not None
    file = directory / "page.html"
    file.write_text(text.replace("</body>", f"<script>{script}</script></body>"))
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
            f"--user-data-dir={directory}/browser", file.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
        env=os.environ | {"HOME": str(directory)},
    )  # fmt: skip
    return done.stdout.decode()


@browser
def test_it_opens_and_hostile_names_are_text(tmp_path: Path) -> None:
    dom = shown(page(report()), tmp_path)
    assert 'data-ready="yes"' in dom
    assert "<title>a &lt;title&gt; &amp; more</title>" in dom
    assert "<img" not in dom
    assert "<b>who" not in dom
    assert dom.count("&lt;img src=x onerror=") >= 2
    assert "9 shown" in dom


@browser
def test_it_searches_and_filters(tmp_path: Path) -> None:
    script = (
        "search.value = 'SERVICE3'; search.dispatchEvent(new Event('input'));"
        "document.body.dataset.found = document.getElementById('count').textContent + '|'"
        " + tree.textContent;"
        "search.value = ''; boxes[0].checked = false; boxes[0].dispatchEvent(new Event('change'));"
        "document.body.dataset.filtered = document.getElementById('count').textContent;"
        "document.body.dataset.title = document.title;"
    )
    dom = shown(page(report()), tmp_path, script)
    assert 'data-found="1 shown|/var/lib/service3  secret"' in dom
    assert 'data-filtered="6 shown"' in dom
    assert 'data-title="a <title> &amp; more"' in dom or 'data-title="a &lt;title' in dom


def test_fifty_thousand_paths_stay_below_two_megabytes() -> None:
    assert len(page(report(50_000)).encode()) < 2_000_000
    names = {os.urandom(32).hex().encode(): "read-only" for _ in range(50_000)}
    made = Report(title="t", summary="s", rows=(), tree={b"/x/" + name: "x" for name in names})
    text = page(made)
    assert len(text.encode()) < 2_000_000
    assert re.search(r"The tree leaves out [\d,]+ paths", text)


def test_it_asks_nobody_for_anything() -> None:
    text = page(report())
    assert "default-src 'none'" in text
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:|//)""", text)
