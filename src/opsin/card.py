"""A model on a small card: the fragment of HTML by which it shows itself in a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from opsin.figures import Metric, count

_FRAME = (
    "display:inline-block;min-width:18em;max-width:34em;padding:1em 1.25em;"
    "border:1px solid rgba(128,128,128,.4);font:14px/1.5 Helvetica,Arial,sans-serif;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere"
)
_SOFT = "opacity:.7"
_NAMED = 6  # classes that are named; the others are counted


def card(plain: Mapping[str, Any]) -> str:
    """Return a model as a fragment of HTML that needs no style sheet and no script.

    ``plain`` may hold task, net, classes (names), metrics (name to value, low, high and n), better
    (the name of the metric to show large; otherwise the first), size (height, width), created and
    bytes (of the model file). What is missing is left out.

    >>> metric = {"value": 0.887, "low": 0.852, "high": 0.916, "n": 372}
    >>> shown = card({"net": "lenet5", "metrics": {"accuracy": metric}})
    >>> "0.887" in shown and "(0.852–0.916, n=372)" in shown
    True
    """
    head = f"<b>{_safe(plain.get('net', ''))}</b> <span style='{_SOFT}'>Opsin model</span>"
    rows = "".join(
        f"<tr><th scope='row' style='{_SOFT};font-weight:400;text-align:left;padding:0 1.5em 0 0'>"
        f"{_safe(key)}</th><td style='text-align:left;padding:0'>{_safe(value)}</td></tr>"
        for key, value in _facts(plain)
    )
    return (
        f"<div style='{_FRAME}'><div>{head}</div>{_headline(plain)}"
        "<table style='border-collapse:collapse;font-size:13px'><tbody>"
        f"{rows}</tbody></table></div>"
    )


def _headline(plain: Mapping[str, Any]) -> str:
    """Return the metric that counts in large figures, with its interval."""
    metrics = plain.get("metrics") or {}
    if not metrics:
        return ""
    name = plain.get("better") if plain.get("better") in metrics else next(iter(metrics))
    told = metrics[name]
    value, _, rest = str(Metric(told["value"], told["low"], told["high"], told["n"])).partition(" ")
    return (
        f"<div style='margin:.5em 0'><span style='font-size:2.4em;font-weight:600;line-height:1.1;"
        f"letter-spacing:-.03em'>{_safe(value)}</span> {_safe(str(name).replace('_', ' '))} "
        f"<span style='{_SOFT}'>{_safe(rest)}</span></div>"
    )


def _facts(plain: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of the card, those that are known."""
    facts = [("task", str(plain.get("task") or ""))]
    classes = tuple(plain.get("classes") or ())
    if classes:
        rest = len(classes) - _NAMED
        more = f" and {rest} more" if rest > 0 else ""
        facts.append((count(len(classes), "class"), ", ".join(map(str, classes[:_NAMED])) + more))
    if size := plain.get("size"):
        facts.append(("sees", f"{size[0]} × {size[1]} pixels (height × width)"))
    facts.append(("made", str(plain.get("created") or "")))
    if size_of_file := plain.get("bytes"):
        facts.append(("file", f"{size_of_file / 1e6:.1f} MB"))
    return [(key, value) for key, value in facts if value]


def _safe(text: object) -> str:
    """Return text that may stand in a page; what cannot be written in UTF-8 becomes ``?``."""
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"))
