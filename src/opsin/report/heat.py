"""Heat maps of counts, from two classes to a hundred.

A cell is as dark as its share of its row; the diagonal (right answers) has the accent colour and
everything else (mistakes) that of ink, so that the two can be told apart without colour too.
"""

from __future__ import annotations

from opsin.figures import Matrix
from opsin.report.axis import fit, width
from opsin.report.markup import safe


def matrix(chart: Matrix) -> str:
    """Draw a matrix with a name for each row and column, and the counts where they can be read."""
    n = max(len(chart.rows), len(chart.columns), 1)
    cell = 32.0 if n <= 6 else 26.0 if n <= 12 else 18.0 if n <= 30 else 9.0
    font = 11.0 if n <= 12 else 9.0 if n <= 30 else 7.0
    letters = 16 if n <= 30 else 20
    rows = [fit(row, letters) for row in chart.rows]
    columns = [fit(column, letters) for column in chart.columns]
    left = 12 + 0.56 * font * max((width(row) for row in rows), default=0)
    over = 0.56 * font * max((width(column) for column in columns), default=0)
    steep = n > 6  # few columns have room for slanted names, many have not
    top = 12 + (over if steep else 0.71 * over) + font
    right = 6 if steep else 0.71 * over
    parts = [
        _column(full, shown, left + (i + 0.5) * cell, top - 6, font, steep)
        for i, (full, shown) in enumerate(zip(chart.columns, columns, strict=True))
    ]
    for i, (full, shown) in enumerate(zip(chart.rows, rows, strict=True)):
        y = top + (i + 0.5) * cell + 0.35 * font
        parts.append(
            f'<text class="tick end" x="{left - 6:.1f}" y="{y:.1f}">'
            f"<title>{safe(full)}</title>{safe(shown)}</text>"
        )
    parts += _cells(chart, left, top, cell, font)
    wide, tall = left + cell * len(chart.columns) + right, top + cell * len(chart.rows) + 6
    size = "large" if n > 12 else "small"
    about = f"{chart.title}: {len(chart.rows)} rows, {len(chart.columns)} columns"
    return (
        f'<svg class="chart heat {size}" role="img" aria-label="{safe(about)}" '
        f'viewBox="0 0 {wide:.0f} {tall:.0f}" font-size="{font}" '
        f'style="max-width:{1.5 * wide:.0f}px">'
        f"{''.join(parts)}</svg>"
    )


def _column(full: str, shown: str, x: float, y: float, font: float, steep: bool) -> str:
    """Write the name of a column above it, upright where columns are narrow."""
    turn, x = (-90, x + 0.35 * font) if steep else (-45, x)
    return (
        f'<text class="tick" transform="translate({x:.1f} {y:.1f}) '
        f'rotate({turn})"><title>{safe(full)}</title>{safe(shown)}</text>'
    )


def _cells(chart: Matrix, left: float, top: float, cell: float, font: float) -> list[str]:
    """Draw the field and every cell that is not empty."""
    wide, tall = cell * len(chart.columns), cell * len(chart.rows)
    parts = [f'<rect class="track" x="{left:.1f}" y="{top:.1f}" width="{wide}" height="{tall}"/>']
    alike = chart.rows == chart.columns
    for i, row in enumerate(chart.cells):
        total = sum(row) or 1.0
        for j, value in enumerate(row):
            if not value:
                continue
            share = min(1.0, value / total)
            x, y = left + j * cell, top + i * cell
            kind = "right" if alike and i == j else "wrong"
            hint = f"{chart.rows[i]} → {chart.columns[j]}: {value:g} of {total:g}"
            parts.append(
                f'<rect class="cell {kind}" x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" '
                f'width="{cell - 1}" height="{cell - 1}" '
                f'fill-opacity="{0.12 + 0.88 * share:.2f}"><title>{safe(hint)}</title></rect>'
            )
            if cell > 12:
                tone = "on" if share > 0.5 else "off"
                parts.append(
                    f'<text class="cell {tone} mid" x="{x + cell / 2:.1f}" '
                    f'y="{y + cell / 2 + 0.35 * font:.1f}">{value:g}</text>'
                )
    return parts
