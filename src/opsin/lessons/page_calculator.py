"""The calculator of the page: its fields, and examples worth looking at.

The arithmetic itself is ``ops.arithmetic`` written once more in page_arithmetic.js, for a page runs
no Python; a test drives the page over drawn settings and holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opsin.ops.arithmetic import Padding
from opsin.report.markup import safe

LARGEST, DEEPEST, WIDEST = 65_536, 65_536, 999  # pixels a side, channels, pixels of a window
MOST_LAYERS = 8


@dataclass(frozen=True)
class Layer:
    """Is one layer of an example; ``filters`` means nothing for pooling."""

    kind: str = "convolution"
    kernel: int = 3
    stride: int = 1
    padding: Padding = 0
    dilation: int = 1
    filters: int = 1
    ceil: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return what the fields of a layer are set to."""
        number = isinstance(self.padding, int)
        return {
            "kind": self.kind,
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": "number" if number else self.padding,
            "pixels": self.padding if number else 0,
            "dilation": self.dilation,
            "filters": self.filters,
            "extra": 0,
            "ceil": self.ceil,
        }


@dataclass(frozen=True)
class Example:
    """Is a small stack of layers on a picture (height, width, depth), and what it shows."""

    name: str
    about: str
    picture: tuple[int, int, int]
    layers: tuple[Layer, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        layers = [layer.to_dict() for layer in self.layers]
        return {"about": self.about, "picture": list(self.picture), "layers": layers}


CONV, POOL, UP = "convolution", "pooling", "transposed"

EXAMPLES = (
    Example(
        "Three layers",
        "The lecture's own example. The 1×1 at the end mixes 16 channels into 32 and looks at no "
        "neighbours at all.",
        (32, 32, 3),
        (
            Layer(CONV, 5, 1, 2, filters=8),
            Layer(CONV, 5, 1, 2, filters=16),
            Layer(CONV, 1, 1, 0, filters=32),
        ),
    ),
    Example(
        "It does not come out even",
        "Seven pixels, a window of three, steps of three: the last pixel is never looked at.",
        (7, 7, 1),
        (Layer(CONV, 3, 3, 0),),
    ),
    Example(
        "AlexNet’s first layers",
        "The paper prints 224, and with that the first layer does not come out even. With 227 it "
        "does, and 55, 27, 27, 13 are the sizes everyone knows.",
        (224, 224, 3),
        (
            Layer(CONV, 11, 4, 0, filters=96),
            Layer(POOL, 3, 2, 0),
            Layer(CONV, 5, 1, 2, filters=256),
            Layer(POOL, 3, 2, 0),
        ),
    ),
    Example(
        "Three small or one large",
        "Why VGG has only 3×3: three of them see as far as one 7×7, with little more than half of "
        "its parameters. Make it one 7×7 and compare.",
        (56, 56, 64),
        tuple(Layer(CONV, 3, 1, "same", filters=64) for _ in range(3)),
    ),
    Example(
        "The ragged edge",
        "Pooling 7 pixels by twos. With the edge kept it gives 4, without it 3.",
        (7, 7, 3),
        (Layer(POOL, 2, 2, 0, ceil=True),),
    ),
    Example(
        "Holes",
        "Dilation spreads the nine numbers of a filter apart: three layers see 15 pixels and cost "
        "what three layers cost.",
        (64, 64, 16),
        tuple(Layer(CONV, 3, 1, "same", dilation=d, filters=16) for d in (1, 2, 4)),
    ),
    Example(
        "Down and up again",
        "A transposed convolution is the way back: it makes large what a stride made small.",
        (64, 64, 3),
        (Layer(CONV, 4, 2, 1, filters=32), Layer(UP, 4, 2, 1, filters=3)),
    ),
)


def examples() -> dict[str, Any]:
    """Return the examples as plain data, by name."""
    return {example.name: example.to_dict() for example in EXAMPLES}


def calculator() -> str:
    """Return the fields of the calculator; a script adds the layers and what they give."""
    options = "".join(f"<option>{safe(example.name)}</option>" for example in EXAMPLES)
    picture = "".join(
        _number(name, shown, 1, most)
        for name, shown, most in (
            ("height", "height", LARGEST),
            ("width", "width", LARGEST),
            ("depth", "channels", DEEPEST),
        )
    )
    return (
        '<div id="calculator" class="calculator needs-script">'
        f'<label class="field example">example<select name="example">{options}</select></label>'
        '<p class="about" aria-live="polite"></p>'
        f'<fieldset class="picture"><legend>Picture</legend>{picture}</fieldset>'
        f'<ol class="layers"></ol><template>{_layer()}</template>'
        '<p class="buttons"><button type="button" name="add">Add a layer</button></p>'
        '<dl class="totals" aria-live="polite">'
        '<div><dt>comes out</dt><dd class="size"></dd></div>'
        '<div><dt>parameters</dt><dd class="parameters"></dd></div>'
        '<div><dt>multiply-adds</dt><dd class="madds"></dd></div>'
        '<div><dt>one number sees</dt><dd class="sees"></dd></div></dl>'
        '<figure class="axis"><figcaption></figcaption><div class="wide"></div></figure></div>'
    )


def _number(name: str, shown: str, least: int, most: int) -> str:
    return (
        f'<label class="field {name}">{shown}<input name="{name}" type="number" '
        f'inputmode="numeric" min="{least}" max="{most}" step="1"/></label>'
    )


def _choice(name: str, shown: str, options: tuple[str, ...]) -> str:
    inside = "".join(f"<option>{option}</option>" for option in options)
    return f'<label class="field {name}">{shown}<select name="{name}">{inside}</select></label>'


def _layer() -> str:
    """Return the fields of one layer, and room for what is said of it."""
    fields = (
        _choice("kind", "layer", ("convolution", "pooling", "transposed")),
        _number("kernel", "window F", 1, WIDEST),
        _number("stride", "stride S", 1, WIDEST),
        _choice("padding", "padding P", ("number", "same", "valid")),
        _number("pixels", "pixels", 0, WIDEST),
        _number("dilation", "dilation D", 1, WIDEST),
        _number("filters", "filters K", 1, DEEPEST),
        _number("extra", "output padding", 0, WIDEST),
        '<label class="field ceil"><input name="ceil" type="checkbox"/>keep the edge (ceil)'
        "</label>",
    )
    told = "".join(
        f'<div><dt>{shown}</dt><dd class="{name}"></dd></div>'
        for name, shown in (
            ("size", "comes out"),
            ("parameters", "parameters"),
            ("madds", "multiply-adds"),
            ("sees", "one number sees"),
        )
    )
    return (
        f'<li class="layer"><fieldset><legend>Layer</legend>{"".join(fields)}'
        '<button type="button" name="remove" aria-label="Remove this layer">×</button></fieldset>'
        f'<dl class="gives">{told}</dl><p class="said" aria-live="polite"></p></li>'
    )
