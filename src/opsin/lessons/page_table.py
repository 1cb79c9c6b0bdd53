"""The table of nets for the page: where each comes from, what it costs and sees.

Counts are those of ``nets.catalogue``, which counts them on each net's blueprint. What depends on
the machine (where weights lie, how fast a net is here) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsin.lessons.page_tree import titles
from opsin.report.markup import safe

Row = Mapping[str, Any]

HEADS = (  # what a column is called, and whether it holds numbers
    ("year", True),
    ("net", False),
    ("layers", True),
    ("parameters", True),
    ("multiply-adds", True),
    ("one number sees", True),
    ("paper", False),
)


def table(rows: Sequence[Row]) -> str:
    """Return all rows of the table of nets as markup; a script lets columns sort."""
    oldest = ' aria-sort="ascending"'
    heads = "".join(
        f'<th scope="col" class="{"n" if numbers else "t"}"{oldest if name == "year" else ""}>'
        f'<button type="button">{name}</button></th>'
        for name, numbers in HEADS
    )
    body = "".join(_row(row, titles()[row["name"]]) for row in rows)
    return (
        '<div class="wide" role="region" aria-label="Table of nets" tabindex="0">'
        '<table class="nets"><caption>Multiply-adds and what is seen are for one picture of the '
        "size a net was made for. Click on a head to sort.</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Row, title: str) -> str:
    seen, size = row["receptive_field"], "×".join(map(str, row["size"]))
    cells = (
        _number(row["year"], str(row["year"])),
        f'<th scope="row" data-value="{safe(title)}">{safe(title)}<code>{safe(row["name"])}</code>'
        "</th>",
        _number(row["layers"], str(row["layers"])),
        _number(row["parameters"], f"{row['parameters']:,}"),
        _number(row["madds"], short(row["madds"]), f"{row['madds']:,} for {size}"),
        _number(seen[0] if seen else -1, _sides(seen), f"of a picture of {size}"),
        _paper(row),
    )
    return f'<tr id="net-{safe(row["name"])}">{"".join(cells)}</tr>'


def _number(value: int, shown: str, about: str = "") -> str:
    """Return a cell of a number; ``about`` is shown small below it."""
    below = f'<small class="soft">{safe(about)}</small>' if about else ""
    return f'<td class="n" data-value="{value}">{safe(shown)}{below}</td>'


def _sides(seen: Sequence[int] | None) -> str:
    """Return a receptive field in words; it may be larger than the picture, padding included."""
    if not seen:
        return "all of it"
    high, wide = seen
    return str(high) if high == wide else f"{high}×{wide}"


def _paper(row: Row) -> str:
    """Return authors, title and venue, and below them what one should know of the counts."""
    paper = row["paper"]
    names = paper["authors"].split(", ")
    who = " & ".join(names) if len(names) < 3 else f"{names[0]} et al."
    title = safe(paper["title"])
    if paper["arxiv"]:
        address = f"https://arxiv.org/abs/{safe(paper['arxiv'])}"
        title = f'<a href="{address}" rel="noreferrer">{title}</a>'
    remark = f'<p class="remark">{safe(_opened(row["remark"]))}.</p>' if row["remark"] else ""
    words = f"{safe(who)}, {title}, {safe(paper['venue'])}"
    return f'<td data-value="{safe(paper["authors"])}">{words}{remark}</td>'


def _opened(text: str) -> str:
    return text[:1].upper() + text[1:]


def short(number: int) -> str:
    """Return a large number in thousands, millions or billions, three digits of it.

    >>> short(416_520), short(385_814_752), short(15_470_264_320)
    ('417 k', '386 M', '15.5 G')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            value = number / size
            digits = 0 if value >= 99.5 else 1 if value >= 9.95 else 2
            return f"{value:.{digits}f} {unit}"
    return str(number)
