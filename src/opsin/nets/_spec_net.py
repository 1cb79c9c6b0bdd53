"""From a net described in a line to one that learns: the layers its blueprint lists, one by one.

Shapes: N pictures, C channels, h and w of the input, F features, K outputs.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from timm.layers import Conv2dSame
from timm.layers.pool2d_same import AvgPool2dSame, MaxPool2dSame
from torch import Tensor, nn

from opsin.errors import RecipeError
from opsin.nets._describe import Description, Row, describe
from opsin.nets._own import draw
from opsin.nets._spec import parse

LARGEST = 2_000_000_000  # weights: 8 GB, more than a slip of the finger should ask memory for
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "ReLU": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class Line(nn.Module):
    """Is a net described in a line: its layers in a row, and the last dense one as its head."""

    def __init__(self, body: nn.Sequential, head: nn.Linear, drop_rate: float) -> None:
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(drop_rate)
        self.head = head
        self.num_classes = head.out_features
        self.num_features = self.head_hidden_size = head.in_features

    def get_classifier(self) -> nn.Module:
        """Return the last layer."""
        return self.head

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh last layer with ``num_classes`` outputs."""
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (N, K) for pictures (N, C, h, w)."""
        outputs: Tensor = self.head(self.dropout(self.body(x)))  # (N, F) to (N, K)
        return outputs


def build_line(
    line: str, *, outputs: int, channels: int, size: tuple[int, int] | None, dropout: float
) -> Line:
    """Return the net that a line describes, with a head of ``outputs`` for pictures of ``size``.

    Raises ``RecipeError`` for a line that is wrong or that does not end in a dense layer, and
    ``SizeError`` for pictures that do not go through.

    >>> line = "conv 3x3x4, pool 2, dense 9"
    >>> net = build_line(line, outputs=2, channels=1, size=(8, 8), dropout=0.0)
    >>> [name for name, _ in net.body.named_children()], net.head.weight.shape
    (['conv1', 'pool1', 'relu1', 'flatten1'], torch.Size([2, 36]))
    """
    drawn = parse(line)
    if size is None:
        raise RecipeError("a described net without a size", expected="size=(height, width)")
    found = describe(drawn, size, channels=channels, classes=outputs)
    if found.rows[-1].layer.op != "dense":
        raise RecipeError(
            f"a described net that ends in {found.rows[-1].kind}",
            expected="a dense layer at its end, which gives the answer",
            remedy=f"End it with: dense {outputs}",
        )
    if found.parameters > LARGEST:
        heaviest = max(found.rows, key=lambda row: row.parameters)
        raise RecipeError(
            f"a described net of {found.parameters:,} weights",
            expected=f"at most {LARGEST:,}",
            remedy=f"{heaviest.parameters:,} of them are in {heaviest.layer.name}: pool before it.",
        )
    body = layers(found)
    head = body[-1]
    assert isinstance(head, nn.Linear)
    net = Line(_pooled_first(body[:-1]), head, dropout)
    if not head.weight.is_meta:
        draw(net)
    return net


def layers(found: Description) -> nn.Sequential:
    """Return the layers of a described net in a row, under the names of the line."""
    made = nn.Sequential()
    for place, row in enumerate(found.rows[1:]):
        made.add_module(row.layer.name, _layer(row, found.rows[place].shape))
    return made


def _pooled_first(body: nn.Sequential) -> nn.Sequential:
    """Return the layers with max pooling before ReLU: the same numbers for a quarter of the work.

    Steps of a LeNet take 15 % less time so.
    """
    named = list(body.named_children())
    for place in range(1, len(named)):
        before, layer = named[place - 1][1], named[place][1]
        if isinstance(before, nn.ReLU) and isinstance(layer, nn.MaxPool2d):
            named[place - 1 : place + 1] = named[place], named[place - 1]
    return nn.Sequential(OrderedDict(named))


def _layer(row: Row, came: tuple[int, ...]) -> nn.Module:
    """Return the layer of a row, for maps or vectors of the shape that ``came``."""
    layer, depth = row.layer, came[0]
    if layer.op == "conv":
        return _conv(row, depth)
    if layer.op in ("max", "average"):
        return _pool(row)
    if layer.op == "dense":
        return nn.Linear(depth, layer.outputs, bias=layer.bias)
    if layer.op == "mean":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if layer.op == "norm":
        return nn.BatchNorm2d(depth) if len(came) == 3 else nn.BatchNorm1d(depth)
    if layer.op == "flatten":
        return nn.Flatten()
    word, _, share = layer.word.partition(" ")
    return nn.Dropout(float(share)) if word == "dropout" else ACTIVATIONS[word]()


def _conv(row: Row, depth: int) -> nn.Module:
    window, groups = row.layer.window, row.layer.groups or depth
    assert window is not None
    padding: Any = 0 if window.padding == "same" else window.padding
    kind = Conv2dSame if window.padding == "same" else nn.Conv2d
    made: nn.Module = kind(
        depth,
        row.shape[0],
        window.kernel,
        stride=window.stride,
        padding=0 if padding == "valid" else padding,
        dilation=window.dilation,
        groups=groups,
        bias=row.layer.bias,
    )
    return made


def _pool(row: Row) -> nn.Module:
    window = row.layer.window
    assert window is not None
    kinds = {
        ("max", False): nn.MaxPool2d,
        ("max", True): MaxPool2dSame,
        ("average", False): nn.AvgPool2d,
        ("average", True): AvgPool2dSame,
    }
    same = window.padding == "same"
    padding: Any = 0 if same or window.padding == "valid" else window.padding
    made: nn.Module = kinds[row.layer.op, same](
        window.kernel, stride=window.stride, padding=padding, ceil_mode=window.ceil
    )
    return made
