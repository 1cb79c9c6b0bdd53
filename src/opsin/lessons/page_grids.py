"""Numbers in squares, as SVG: pictures of ink and paper, maps of how well something fits.

What a script changes later is drawn here in its last state, so that the page is whole on paper and
where no script runs. Colours come from classes of page.css.

Shapes: a grid has N rows and M columns; a unit is a pixel of the drawing, before it is scaled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsin.report.markup import safe

SIDE = 40  # units from one square to the next


def signed(text: str) -> str:
    """Return a printed number with the typographic minus.

    >>> signed("-0.11")
    '−0.11'
    """
    return text.replace("-", "−")


def inked(values: Iterable[float]) -> list[str]:
    """Return squares for pixels of +1, ink, and -1, paper, each with its number."""
    return [_square(f"{signed(f'{v:g}')}", "ink" if v > 0 else "") for v in values]


def toned(texts: Iterable[str]) -> list[str]:
    """Return squares for printed numbers from -1 to 1: warm above zero, cold below.

    >>> toned(["0.50"])
    ['<rect class="more" fill-opacity="0.5"/><text>0.50</text>']
    """
    return [_square(signed(text), *tone(float(text))) for text in texts]


def tone(value: float) -> tuple[str, str]:
    """Return the class of a number from -1 to 1 and how strong its colour is."""
    kind = "more" if value > 0 else "less" if value < 0 else ""
    return kind, f"{abs(value):g}" if kind else ""


def _square(text: str, kind: str, strength: str = "") -> str:
    opacity = f' fill-opacity="{strength}"' if strength else ""
    named = f' class="{kind}"' if kind else ""
    return f"<rect{named}{opacity}/><text>{safe(text)}</text>"


def grid(
    name: str,
    squares: Sequence[str],
    columns: int,
    about: str,
    *,
    window: int = 0,
    over: int = 0,
    keys: str = "",
) -> str:
    """Return ``squares`` in rows as one drawing of class ``name``.

    ``about`` is what a person hears who cannot see it. ``window`` draws a frame so many squares
    wide round the last of them, which may hang ``over`` the edge by so many; ``keys`` lets arrow
    keys move through the squares, and says so.
    """
    rows = -(-len(squares) // columns)
    placed = "".join(
        f'<g transform="translate({i % columns * SIDE} {i // columns * SIDE})">{square}</g>'
        for i, square in enumerate(squares)
    )
    frame = ""
    if window:
        corner = f"{(columns + over - window) * SIDE} {(rows + over - window) * SIDE}"
        sides = f'width="{window * SIDE}" height="{window * SIDE}"'
        frame = f'<rect class="window" x="-1" y="-1" transform="translate({corner})" {sides}/>'
    heard = f'role="img" aria-label="{safe(about)}"'
    if keys:
        heard = f'role="group" tabindex="0" aria-label="{safe(f"{about}. {keys}")}"'
    size = f"{(columns + over) * SIDE + 4} {(rows + over) * SIDE + 4}"
    return (
        f'<svg class="grid {name}" viewBox="-3 -3 {size}" {heard}>'
        f'<g class="squares">{placed}</g>{frame}</svg>'
    )


def stamp(rows: Sequence[Sequence[float]], about: str = "") -> str:
    """Return a small picture of its inked pixels only, for a button."""
    ink = "".join(
        f"M{j} {i}h1v1h-1z" for i, row in enumerate(rows) for j, v in enumerate(row) if v > 0
    )
    heard = f'role="img" aria-label="{safe(about)}"' if about else 'aria-hidden="true"'
    return f'<svg class="stamp" viewBox="0 0 {len(rows[0])} {len(rows)}" {heard}>' + (
        f'<path d="{ink}"/></svg>'
    )
