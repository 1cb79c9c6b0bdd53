"""The page in a real browser: it fits a phone, asks for nothing, and nothing goes wrong."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from opsin.report import Story, page

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")

# Headless windows do not get as narrow as a phone, a frame does. It inherits the origin, so that
# the outer page may look inside: what is wider than the frame, and what was asked for.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"/><body><pre id="found"></pre>
<iframe id="page" width="{wide}" height="3000" style="border:0" srcdoc="{page}"></iframe>
<script>
document.getElementById("page").onload = (event) => {{
  const inner = event.target.contentWindow, root = inner.document.documentElement;
  const scrolled = (e) => e.closest(".wide, .hidden, svg, .path");
  const beyond = [...inner.document.querySelectorAll("body *")]
    .filter((e) => !scrolled(e) && e.getBoundingClientRect().right > root.clientWidth + 1)
    .map((e) => e.tagName + "." + e.className);
  const asked = inner.performance.getEntriesByType("resource").map((e) => e.name);
  const images = [...inner.document.images].filter((e) => !e.naturalWidth).length;
  document.getElementById("found").textContent = JSON.stringify(
    {{wide: root.scrollWidth, frame: root.clientWidth, beyond, broken: images,
      asked: asked.filter((name) => !name.startsWith("data:"))}});
}};
</script></body>"""


def browse(path: Path, profile: Path) -> tuple[str, str]:
    """Return the document as the browser sees it and what it said meanwhile."""
    quiet = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"]
    quiet += [
        "disable-component-update",
        "disable-sync",
        "no-sandbox",
        "disable-dev-shm-usage",
        "hide-scrollbars",
    ]
    done = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            *(f"--{flag}" for flag in quiet),
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
            "--window-size=1400,3200",
            "--virtual-time-budget=5000",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")


def look(text: str, wide: int, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Return what the harness found on a page, and the lines of its console."""
    path = folder / "harness.html"
    path.write_text(HARNESS.format(wide=wide, page=html.escape(text)), "utf-8")
    document, said = browse(path, folder / "profile")
    found = re.search(r'<pre id="found">(.+?)</pre>', document, re.DOTALL)
    assert found, f"the page did not load: {said[-2000:]}"
    return json.loads(html.unescape(found[1])), [
        s for s in said.splitlines() if "CONSOLE" in s and "chrome://" not in s
    ]


@pytest.mark.parametrize("wide", [390, 1280])
@pytest.mark.parametrize("name", ["everyday", "hostile"])
def test_page_fits_and_asks_for_nothing(
    name: str, wide: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    story: Story = request.getfixturevalue(name)
    told, console = look(page(story), wide, tmp_path)
    assert told == {"wide": wide, "frame": wide, "beyond": [], "broken": 0, "asked": []}
    assert console == []


def test_the_harness_would_notice(tmp_path: Path, everyday: Story) -> None:
    planted = (
        '<p style="width:900px">wide</p><img src="file:///nowhere.png" alt=""/>'
        "<script>console.error(1)</script></main>"
    )
    told, console = look(page(everyday).replace("</main>", planted), 390, tmp_path)
    assert told["wide"] > 390 and "P." in told["beyond"] and told["broken"] == 1
    assert len(console) >= 2  # the policy refuses both the picture and the script
