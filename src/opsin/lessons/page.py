"""The page that teaches: one file of HTML that asks nothing of a network and runs in any browser.

``python -m opsin.lessons FOLDER`` builds it. The same sources give the same bytes on any machine.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

from opsin import nets
from opsin.files import write_text
from opsin.lessons import page_calculator, page_sections, page_steps, page_vote
from opsin.report.markup import paragraph, safe

NAME = "convolution.html"
SCRIPTS = ("page_arithmetic.js", "page_calculator.js", "page_slide.js", "page_table.js")
LEAD = (
    "A convolutional net looks at a picture through a small window, again and again. Here is all "
    "of it by hand: every number can be followed from the pixels to the answer."
)


def write(folder: str | Path) -> Path:
    """Build the page into ``folder`` and return its path; raise ``DataError`` where that fails."""
    path = Path(folder).expanduser() / NAME
    write_text(path, page())
    return path


def page() -> str:
    """Return the page as one HTML file that needs nothing else."""
    steps, walks, rows = page_steps.steps(), page_vote.walks(), nets.catalogue()
    sections = (
        ("window", "A window slides over a picture", page_sections.window(steps)),
        ("pool", "Below zero becomes zero, and the largest is kept", page_sections.pooling(steps)),
        ("vote", "The numbers vote", page_sections.vote(walks)),
        ("arithmetic", "Sizes, costs, and what one number sees", page_sections.arithmetic()),
        ("kernels", "What small matrices do to a picture", page_sections.kernels()),
        ("tree", "From the Neocognitron to today", page_sections.family(rows)),
    )
    links = "".join(f'<li><a href="#{key}">{safe(title)}</a></li>' for key, title, _ in sections)
    body = "".join(
        f'<section id="{key}"><h2><span class="nr">{number}</span>{safe(title)}</h2>{inside}'
        "</section>"
        for number, (key, title, inside) in enumerate(sections, 1)
    )
    facts = {
        "steps": steps,
        "walks": walks,
        "examples": page_calculator.examples(),
        "layers": page_calculator.MOST_LAYERS,
    }
    return _framed(
        '<header><p class="brand"><b>Opsin</b> lessons</p><h1>What a convolution does</h1>'
        f"{paragraph(LEAD, 'lead')}<noscript>{paragraph(_STILL, 'still')}</noscript>"
        f'<nav aria-label="Contents"><ol>{links}</ol></nav></header><main>{body}</main>'
        f"<footer>{paragraph(_FOOT)}</footer>"
        f'<script type="application/json" id="facts">{embedded(facts)}</script>'
    )


_STILL = (
    "Nothing moves here without JavaScript: figures show their last step, and the calculator needs "
    "it. Tables and drawings are whole."
)
_FOOT = (
    "Built by Opsin. Every number was computed by the library whose source lies beside this page; "
    "the calculator computes in your browser and is tested against it."
)


def _framed(body: str) -> str:
    """Return a body in its page, with styles, scripts and a policy that allows no others."""
    style = f"/*<![CDATA[*/\n{_asset('page.css')}/*]]>*/"
    script = f'//<![CDATA[\n"use strict";\n{"".join(map(_asset, SCRIPTS))}//]]>'
    policy = (
        f"default-src 'none'; img-src data:; style-src '{fingerprint(style)}'; "
        f"script-src '{fingerprint(script)}'; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
        f"<title>What a convolution does · Opsin lessons</title><style>{style}</style></head>"
        f"<body>{body}<script>{script}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    return resources.files("opsin.lessons").joinpath(name).read_text("utf-8")


def fingerprint(text: str) -> str:
    """Return the hash by which a policy allows one inline style or script and no other.

    >>> fingerprint("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def embedded(plain: dict[str, Any]) -> str:
    """Return plain data as JSON that cannot end the element it stands in.

    >>> embedded({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)
