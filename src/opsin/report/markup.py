"""From plain data to safe pieces of a page: text, tables, thumbnails, small bars.

Everything that comes from data passes through ``safe``. The page is written as XML-shaped HTML, so
that a test can parse it.

Shapes: h, w height and width of a picture.
"""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What neither HTML nor XML may hold: control characters, lone surrogates, non-characters.
_FOREIGN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def safe(text: object) -> str:
    """Return text that can stand anywhere in a page, also inside quotes.

    >>> safe("<b> & 'x'")
    '&lt;b&gt; &amp; &#x27;x&#x27;'
    """
    return html.escape(_FOREIGN.sub("\ufffd", str(text)))


def name(text: object) -> str:
    """Return a name that came from data, kept apart so that its writing direction stays inside."""
    return f"<bdi>{safe(text)}</bdi>"


def paragraph(text: str, kind: str = "") -> str:
    """Return plain text as a paragraph."""
    return f'<p class="{kind}">{safe(text)}</p>' if kind else f"<p>{safe(text)}</p>"


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: str = ""
) -> str:
    """Return a table; ``numbers`` has one letter a column: t text, n numbers, b bars.

    ``heads`` and cells are markup already. The first cell of a row is its header.
    """
    kinds = numbers or "t" + "n" * (len(heads) - 1)
    style = ["" if kind == "t" else f' class="{kind}"' for kind in kinds]
    top = "".join(f'<th scope="col"{s}>{h}</th>' for h, s in zip(heads, style, strict=True))
    body = []
    for row in rows:
        cells = [f'<th scope="row"{style[0]}>{row[0]}</th>']
        cells += [f"<td{s}>{cell}</td>" for cell, s in zip(row[1:], style[1:], strict=True)]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table><caption>{safe(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def pairs(rows: Iterable[tuple[str, str]], kind: str = "pairs") -> str:
    """Return named facts as a definition list; names are plain text, values markup."""
    told = (f"<div><dt>{safe(key)}</dt><dd>{value}</dd></div>" for key, value in rows)
    return f'<dl class="{kind}">{"".join(told)}</dl>'


def folded(summary: str, inside: str) -> str:
    """Return markup that unfolds when its summary is clicked, and is unfolded on paper."""
    return f"<details><summary>{summary}</summary>{inside}</details>"


def data(value: float, shown: str) -> str:
    """Return a shown figure that also carries its value with the three decimals of ``Metric``."""
    if not math.isfinite(value):
        return safe(shown)
    return f'<data value="{value:.3f}">{safe(shown)}</data>'


def bar(share: float, kind: str = "") -> str:
    """Return a small bar for a table cell; ``share`` in 0..1, empty where it is not a number."""
    width = 100 * min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    return (
        f'<svg class="bar {kind}" viewBox="0 0 100 4" preserveAspectRatio="none" '
        f'aria-hidden="true"><rect class="track" width="100" height="4"/>'
        f'<rect class="fill" width="{width:.1f}" height="4"/></svg>'
    )


def thumbnail(image: NDArray[np.uint8], alt: str, side: int = 256) -> str:
    """Return an image (c, h, w) as an inline JPEG whose longer side is at most ``side`` pixels."""
    import numpy as np
    from PIL import Image

    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))  # (h, w, c)
    picture = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0]).convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=82, optimize=True)
    code = base64.b64encode(stream.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/jpeg;base64,{code}" alt="{safe(alt)}" '
        f'width="{picture.width}" height="{picture.height}"/>'
    )
