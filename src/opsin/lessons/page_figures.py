"""The figures of the page that move: their squares, their buttons, and what is said beside them.

Each is drawn here in its last state, from the same data that a script steps through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsin.lessons import page_vote
from opsin.lessons.page_grids import grid, inked, signed, stamp, toned
from opsin.lessons.x_or_o import FILTERS, LETTERS
from opsin.report.markup import safe

KEYS = "Arrow keys move through it"
BUTTONS = (
    ("first", "First", "To the first place"),
    ("back", "Back", "One place back"),
    ("play", "Play", "Through all places"),
    ("next", "Forward", "One place forward"),
    ("last", "Last", "To the last place"),
)


def filtering(steps: dict[str, Any]) -> str:
    """Return the figure of a filter that slides over a picture."""
    told = steps["X"]["A"]
    last = told["filter"][-1]
    values = [place["value"] for place in told["filter"]]
    picture = grid("picture", inked(steps["X"]["picture"]), 9, "The picture", window=3)
    reckoning = (
        _row("", grid("seen", inked(last["seen"]), 3, "Under the window"), "under the window")
        + _row("×", grid("kernel", inked(told["kernel"]), 3, "The filter"), f"filter {_which()}")
        + _row("=", grid("products", toned(map(str, last["products"])), 3, "Products"), "products")
    )
    sums = (
        f'<p class="sums"><span class="sum">{signed(" + ".join(map(str, last["products"])))}'
        f'</span> = <b class="total">{signed(str(last["total"]))}</b></p>'
        f'<p class="result"><span class="ninth">÷ 9 =</span> <b class="value">'
        f"{signed(last['value'])}</b></p>"
    )
    around = _side(f"the map of filter {_which()}", _map(values, 7))
    inside = f"{_side('the picture', picture)}{_middle(reckoning, sums)}{around}"
    return _figure(
        "filter",
        inside,
        "Figure 1. Ink is +1 and paper −1. A product is 1 where picture and filter agree and −1 "
        "where they do not. Two decimals are shown, the rest is cut off.",
    )


def rectifying(steps: dict[str, Any]) -> str:
    """Return the figure of ReLU on a map."""
    places = steps["X"]["A"]["relu"]
    before = [place["seen"][0] for place in places]
    values = [place["value"] for place in places]
    rule = (
        _row("", grid("seen", toned(before[-1:]), 1, "One number"), "")
        + '<p class="sums rule">is not below zero</p>'
        + f'<p class="result"><span>becomes</span> <b class="value">{signed(values[-1])}</b></p>'
    )
    return _figure(
        "relu",
        f"{_side('the map', _source(before, 7, 1))}{_middle(rule)}"
        f"{_side('after ReLU', _map(values, 7))}",
        "Figure 2. ReLU: what is below zero becomes zero, the rest stays. It says no more that "
        "something is not there, only how much of it is.",
    )


def pooling(steps: dict[str, Any]) -> str:
    """Return the figure of max pooling on a rectified map."""
    told = steps["X"]["A"]
    before = [place["value"] for place in told["relu"]]
    values = [place["value"] for place in told["pool"]]
    rule = (
        _row("", grid("seen", toned(told["pool"][0]["seen"]), 2, "Under the window"), "")
        + '<p class="sums">the largest is kept</p>'
        + f'<p class="result"><b class="value">{signed(values[-1])}</b></p>'
    )
    return _figure(
        "pool",
        f"{_side('after ReLU', _source(before, 7, 2))}{_middle(rule)}"
        f"{_side('after pooling', _map(values, 4))}",
        "Figure 3. Max pooling: a window of 2×2 in steps of 2 keeps the largest number. Seven does "
        "not come out even; the last windows hang over the edge and take what is there.",
    )


def walking(walks: dict[str, Any]) -> str:
    """Return the walk of one picture through all three filters to the vote."""
    found = walks["X"]
    weights = page_vote.weights()
    ways = "".join(
        _way(name, kernel.ravel().tolist(), found["maps"][i], found["final"][i], weights[i])
        for i, (name, kernel) in enumerate(FILTERS.items())
    )
    votes = "".join(
        f'<div class="vote{" wins" if letter == found["says"] else ""}" data-letter="{letter}">'
        f'<b>{letter}</b><svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" '
        f'aria-hidden="true"><rect class="track" width="100" height="6"/><rect class="fill" '
        f'width="{100 * found["votes"][letter]:g}" height="6"/></svg>'
        f'<span class="printed">{found["printed"][letter]}</span></div>'
        for letter in LETTERS
    )
    picture = grid("picture", inked(found["picture"]), 9, "The picture")
    heads = "".join(f"<span>{word}</span>" for word in ("filter", "its map", "kept", "counts for"))
    return (
        f'<figure class="walk">{_pictures(walks)}<div class="through">'
        f"{_side('the picture', picture)}"
        f'<div class="ways"><p class="heads" aria-hidden="true">{heads}</p>{ways}</div>'
        f'<div class="ballot"><p class="named">the vote</p><div class="votes">{votes}</div>'
        f'<p class="verdict" aria-live="polite">The net says {found["says"]}. Right.</p>'
        "</div></div>"
        "<figcaption><span>Figure 4. Three filters, ReLU, pooling, and a vote. The letters on the "
        "right say for whom a kept number counts, the larger the more.</span></figcaption></figure>"
    )


def _pictures(walks: dict[str, Any]) -> str:
    """Return a button for each picture, that says of the wrong ones that they are wrong."""
    choices = ""
    for at, (name, found) in enumerate(walks.items()):
        rows = [found["picture"][i : i + 9] for i in range(0, 81, 9)]
        wrong = "" if found["says"] == found["letter"] else ' class="wrong"'
        checked = ' checked="checked"' if at == 0 else ""
        choices += (
            f'<label{wrong}><input type="radio" name="walked" value="{safe(name)}"{checked}/>'
            f"{stamp(rows)}<span>{safe(name)}</span></label>"
        )
    return f'<fieldset class="stamps"><legend>Which picture?</legend>{choices}</fieldset>'


def _way(
    name: str,
    kernel: Sequence[float],
    whole: Sequence[str],
    final: Sequence[str],
    weights: Sequence[tuple[str, float]],
) -> str:
    """Return one filter, its map, what is kept of it, and how that counts."""
    letters = [
        f'<rect/><text class="{letter}" font-size="{10 + 22 * share**0.5:.1f}">{letter}</text>'
        if letter
        else "<rect/>"
        for letter, share in weights
    ]
    return (
        f'<div class="way">{grid("kernel", inked(kernel), 3, f"Filter {name}")}'
        f"{grid('whole', toned(whole), 7, f'Map of filter {name}')}"
        f"{grid('final', toned(final), 4, f'Kept of filter {name}')}"
        f"{grid('weights', letters, 4, f'What counts for which letter, filter {name}')}</div>"
    )


def _which() -> str:
    return '<b class="which">A</b>'


def _row(sign: str, square: str, words: str) -> str:
    """Return one step of a reckoning: its sign, its squares, what they are."""
    named = f'<span class="named">{words}</span>' if words else ""
    return f'<div class="step"><span class="sign">{sign}</span>{square}{named}</div>'


def _side(words: str, square: str) -> str:
    return f'<div class="side"><p class="named">{words}</p>{square}</div>'


def _middle(rows: str, sums: str = "") -> str:
    return f'<div class="middle"><div class="reckoning">{rows}</div>{sums}</div>'


def _source(values: Sequence[str], columns: int, window: int) -> str:
    """Return the map before, with a window that may hang over its edge by all but one square."""
    about = "The map before"
    return grid("source", toned(values), columns, about, window=window, over=window - 1)


def _map(values: Sequence[str], columns: int) -> str:
    return grid("map", toned(values), columns, "The map", keys=KEYS)


def _figure(name: str, inside: str, caption: str) -> str:
    """Frame a figure that moves: what is shown, the buttons, the words."""
    buttons = "".join(
        f'<button type="button" data-go="{go}" title="{long}">{word}</button>'
        for go, word, long in BUTTONS
    )
    choices = _choice(name, "letter", "picture", LETTERS) + _choice(
        name, "filter", "filter", FILTERS
    )
    slider = '<input type="range" min="0" max="0" value="0" aria-label="Place of the window"/>'
    return (
        f'<figure class="slide {name}" data-slide="{name}">'
        f'<div class="choices needs-script">{choices}</div>'
        f'<div class="stage">{inside}</div>'
        f'<div class="controls needs-script"><div class="buttons">{buttons}</div>{slider}</div>'
        f'<p class="told needs-script" aria-live="polite"></p>'
        f"<figcaption><span>{caption}</span></figcaption></figure>"
    )


def _choice(figure: str, what: str, words: str, names: Any) -> str:
    """Return a row of choices of which one is on."""
    on = ' checked="checked"'
    options = "".join(
        f'<label><input type="radio" name="{what}-{figure}" value="{name}"{"" if at else on}/>'
        f"<span>{name}</span></label>"
        for at, name in enumerate(names)
    )
    return f'<fieldset class="choice"><legend>{words}</legend>{options}</fieldset>'
