"""A net described in a line: "conv 5x5x8, pool 2, conv 5x5x16, dense 10".

Layers stand between commas; each is a word and what belongs to it, in any order:

    conv HxWxK       K filters of H×W    stride S, pad P (a number, same, valid), dilation D,
                                         groups G, linear (no ReLU after it)
    depthwise HxW    a filter a channel  stride, pad, dilation, linear
    pool N           the largest of N×N  stride S (else N), pad P, ceil; average: the mean
    global           the mean of each map
    dense N          a linear layer      linear (no ReLU after it)
    bn  dropout P  relu  sigmoid  tanh

A ReLU follows every convolution and dense layer but the last one, after ``bn`` where that comes
next; an activation that is written stands instead of it. The size of pool and depthwise may be one
number, S, P and D may be HxW. Padding is valid, that is none, where nothing is said. The last dense
layer is the head.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from opsin.nets._blueprint import Blueprint, Layer
from opsin.nets._words import ACTIVATIONS, Given, Word, split, whole_numbers, window_of

SIZE, CHANNELS = (32, 32), 3  # of the pictures, where nobody says another
MOST_LAYERS = 1000


def is_spec(name: str) -> bool:
    """Say whether a net is described in a line, not named: names hold no spaces and no commas.

    >>> is_spec("conv 3x3x8, dense 10"), is_spec("vgg16")
    (True, False)
    """
    return bool(re.search(r"[\s,]", name.strip()))


def parse(line: str) -> Blueprint:
    """Return the blueprint of the net that a line describes.

    Raises ``RecipeError`` that points at the word that is wrong.

    >>> [layer.name for layer in parse("conv 3x3x8, pool 2, dense 10").layers]
    ['picture', 'conv1', 'relu1', 'pool1', 'flatten1', 'dense1']
    """
    drawn = _Drawn()
    parts = split(line)
    if len(parts) > MOST_LAYERS:
        raise parts[MOST_LAYERS][0].wrong(f"at most {MOST_LAYERS} layers")
    weighty = [i for i, part in enumerate(parts) if part[0].text in ("conv", "depthwise", "dense")]
    for index, part in enumerate(parts):
        follows = [each[0].text for each in parts[index + 1 : index + 3]]
        last = not weighty or index == weighty[-1]
        READERS[part[0].text](drawn, Given(part, last, follows))
        drawn.settle(follows[0] if follows else "")
    dense = [place for place, layer in enumerate(drawn.layers) if layer.op == "dense"]
    return Blueprint(
        line.strip(), tuple(drawn.layers), SIZE, CHANNELS, dense[-1] if dense else None
    )


class _Drawn:
    """Collects layers, numbers their names, and puts the ReLU that nobody wrote."""

    def __init__(self) -> None:
        self.layers = [Layer("picture", "picture")]
        self.counts: dict[str, int] = {}
        self.flat = False
        self.waiting = False  # for a ReLU, which bn may come before

    def add(self, name: str, layer: Layer) -> None:
        """Add a layer after the last one."""
        self.counts[name] = self.counts.get(name, 0) + 1
        called = f"{name}{self.counts[name]}"
        self.layers.append(replace(layer, name=called, inputs=(len(self.layers) - 1,)))

    def settle(self, following: str) -> None:
        """Add the ReLU that waits, unless ``following`` is what comes before or instead of it."""
        if self.waiting and following not in ("bn", *ACTIVATIONS):
            self.add("relu", Layer("", "same", word="ReLU"))
        if following != "bn":
            self.waiting = False


# ── a reader for each word ──────────────────────────────────────────────────────────────────────

SLIDES = {"stride": 1, "pad": 1, "dilation": 1}


def _conv(drawn: _Drawn, given: Given) -> None:
    about = "height x width x filters, as in 5x5x8"
    *kernel, outputs = given.size(3, about, least=3)
    _not_flat(drawn, given)
    options = given.options(SLIDES | {"groups": 1, "linear": 0})
    groups = options.get("groups")
    each = whole_numbers(groups, "the number of groups", 1)[0] if groups else 1
    if groups and outputs % each:
        raise groups.wrong(f"a number that divides the {outputs} filters")
    window = window_of(given, tuple(kernel), options, 1)
    drawn.add(
        "conv", Layer("", "conv", window=window, outputs=outputs, groups=each, bias=_bias(given))
    )
    drawn.waiting = not given.last and "linear" not in options


def _depthwise(drawn: _Drawn, given: Given) -> None:
    kernel = given.size(2, "height x width, as in 3x3")
    _not_flat(drawn, given)
    options = given.options(SLIDES | {"linear": 0})
    window = window_of(given, kernel, options, 1)
    layer = Layer("", "conv", window=window, groups=0, bias=_bias(given), word="depthwise conv")
    drawn.add("depthwise", layer)
    drawn.waiting = not given.last and "linear" not in options


def _bias(given: Given) -> bool:
    """A bias before bn would be taken away again by its mean."""
    return given.follows[:1] != ["bn"]


def _not_flat(drawn: _Drawn, given: Given) -> None:
    if drawn.flat:
        raise given.first.wrong("maps", "After dense or global there are none: put it before.")


def _pool(drawn: _Drawn, given: Given) -> None:
    kernel = given.size(2, "the side of the window, as in pool 2")
    _not_flat(drawn, given)
    options = given.options({"stride": 1, "pad": 1, "average": 0, "ceil": 0})
    side = kernel[0] if len(set(kernel)) == 1 else kernel
    window = window_of(given, kernel, options, side)
    if window.padding != "same" and any(2 * a.ends()[0] > a.kernel for a in window.axes):
        raise options["pad"].wrong("at most half of the window")
    drawn.add("pool", Layer("", "average" if "average" in options else "max", window=window))


def _global(drawn: _Drawn, given: Given) -> None:
    given.options({})
    _not_flat(drawn, given)
    drawn.add("global", Layer("", "mean", word="average pool"))
    drawn.flat = True


def _dense(drawn: _Drawn, given: Given) -> None:
    outputs = given.size(1, "how many outputs, as in dense 10")[0]
    options = given.options({"linear": 0})
    if not drawn.flat:
        drawn.add("flatten", Layer("", "flatten", word="flatten"))
        drawn.flat = True
    drawn.add("dense", Layer("", "dense", outputs=outputs, bias=_bias(given)))
    drawn.waiting = not given.last and "linear" not in options


def _activation(drawn: _Drawn, given: Given) -> None:
    given.options({})
    name = given.first.text
    drawn.add(name, Layer("", "same", word=ACTIVATIONS[name]))


def _bn(drawn: _Drawn, given: Given) -> None:
    given.options({})
    drawn.add("bn", Layer("", "norm", word="batch norm"))


def _dropout(drawn: _Drawn, given: Given) -> None:
    about = "the share to drop, 0 to 1, as in dropout 0.5"
    if len(given.words) < 2:
        raise Word("", given.first.at + len(given.first.text), given.first.line).wrong(about)
    text = given.words[1].text
    if not re.fullmatch(r"0?\.[0-9]{1,6}|0", text):
        raise given.words[1].wrong(about)
    given.options({})
    drawn.add("dropout", Layer("", "same", word=f"dropout {float(text):g}"))


READERS: dict[str, Callable[[_Drawn, Given], None]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "pool": _pool,
    "global": _global,
    "dense": _dense,
    "bn": _bn,
    "dropout": _dropout,
    **dict.fromkeys(ACTIVATIONS, _activation),
}
