"""The family tree of the nets as one drawing: years go down, a line is descent, a dot is a net.

Who descends from whom, and how many parameters a dot stands for, comes from the table of nets; the
place across is chosen by hand, so that lines cross as little as they can.

Units are pixels of the drawing before it is scaled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from opsin.report.markup import safe

Row = Mapping[str, Any]
Point = tuple[float, float]

LANE, STEP, LEFT, TOP = 122, 70, 112, 42  # between lanes, between rows; where the first ones are
WIDE = LEFT + 7 * LANE + 106
GAP = 4  # between the dots of a family
PER_MILLION = 1.4  # the radius of a dot of one million parameters
LEAST = 2.0  # the radius of the smallest dot: smaller ones could not be seen
SCALE = (1, 25, 138)  # millions of parameters of the dots that explain the others


@dataclass(frozen=True)
class Family:
    """Is what stands in one place: a title, a lane from the left, and names with short labels."""

    title: str
    lane: float
    members: Mapping[str, str]


def _sizes(stem: str, sizes: str, label: str = "") -> dict[str, str]:
    return {stem.format(size): f"{label}{size}" for size in sizes.split()}


FAMILIES = (
    Family("Neocognitron", 3, {"neocognitron": ""}),
    Family("LeNet-5", 3, {"lenet5": ""}),
    Family("AlexNet, two towers", 3, {"alexnet_two_towers": ""}),
    Family("DropConnect", 1, {"dropconnect": ""}),
    Family("ZFNet", 4.2, {"zfnet": ""}),
    Family("AlexNet, one tower", 3, {"alexnet": ""}),
    Family("VGG", 5, {"vgg11_bn": "11", "vgg16": "16", "vgg19": "19"}),
    Family("GoogLeNet", 2, {"googlenet": ""}),
    Family("Inception v2", 2, {"inception_v2": ""}),
    Family("Network3", 0, {"network3": ""}),
    Family("Inception v3", 2, {"inception_v3": ""}),
    Family("plain, 34 layers", 5, {"plain34": ""}),
    Family("ResNet", 5, _sizes("resnet{}", "18 34 50 101 152")),
    Family("SqueezeNet", 1, {"squeezenet1_0": "1.0", "squeezenet1_1": "1.1"}),
    Family("Inception v4", 2, {"inception_v4": ""}),
    Family("DenseNet-121", 7, {"densenet121": ""}),
    Family("Xception", 3, {"legacy_xception": ""}),
    Family("ResNeXt-50", 6, {"resnext50_32x4d": ""}),
    Family("MobileNet", 3, {"mobilenetv1_100": ""}),
    Family("SE-ResNet-50", 4.3, {"seresnet50": ""}),
    Family("SE-ResNeXt-50", 6, {"seresnext50_32x4d": ""}),
    Family("MobileNet v2", 3, {"mobilenetv2_100": ""}),
    Family("ShuffleNet v2", 1, {"shufflenet_v2_x1_0": ""}),
    Family("MnasNet", 2, {"mnasnet_100": ""}),
    Family(
        "MobileNet v3",
        2.7,
        {"mobilenetv3_small_100": "small", "mobilenetv3_large_100": "large"},
    ),
    Family("EfficientNet", 1.3, _sizes("efficientnet_b{}", "0 1 2 3 4 5 6 7", "B")),
    Family("EfficientNet-Lite", 0, _sizes("tf_efficientnet_lite{}", "0 1 2 3 4")),
    Family("RegNetY", 7, {"regnety_004": "0.4", "regnety_016": "1.6"}),
    Family("EfficientNet v2 S", 1.3, {"tf_efficientnetv2_s": ""}),
    Family("ConvNeXt, tiny", 5, {"convnext_tiny": ""}),
)


def titles() -> dict[str, str]:
    """Return what each net is called in books, by the name one types.

    >>> titles()["resnet50"], titles()["efficientnet_b0"], titles()["lenet5"]
    ('ResNet-50', 'EfficientNet-B0', 'LeNet-5')
    """
    joined = {"ResNet": "-", "VGG": "-", "EfficientNet": "-", "EfficientNet-Lite": ""}
    return {
        name: f"{family.title}{joined.get(family.title, ' ')}{label}" if label else family.title
        for family in FAMILIES
        for name, label in family.members.items()
    }


def tree(rows: Sequence[Row]) -> str:
    """Return the tree of all ``rows`` of the table of nets as one drawing.

    Raises ``KeyError`` for a net that has no family here.
    """
    drawn = _Drawing({row["name"]: row for row in rows})
    bands = "".join(drawn.band(index) for index in range(len(drawn.bands)))
    lines = "".join(drawn.line(*ends) for ends in drawn.descents())
    families = "".join(drawn.family(index) for index in drawn.places)
    high = TOP + STEP * drawn.height + 6
    about = "Family tree of convolutional nets; the table below says the same in words"
    return (
        f'<svg class="tree" viewBox="0 0 {WIDE} {high}" role="group" aria-label="{about}">'
        f'{bands}<g class="lines">{lines}</g>{families}{_scale()}</svg>'
    )


class _Drawing:
    """Holds where everything stands: ``places`` of families, ``bands`` of years."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self.rows = rows
        self.home = {name: i for i, family in enumerate(FAMILIES) for name in family.members}
        self.parents = {
            index: self._parents(index)
            for index in sorted({self.home[name] for name in rows}, key=self._year)
        }
        self.bands = self._years()
        self.height = sum(depth for _, _, depth in self.bands)
        top = {year: start for year, start, _ in self.bands}
        self.places: dict[int, Point] = {
            i: (
                LEFT + LANE * FAMILIES[i].lane,
                TOP + STEP * (top[self._year(i)] + self._depth(i)) + STEP / 2 - 10,
            )
            for i in self.parents
        }

    def _members(self, index: int) -> list[str]:
        return [name for name in FAMILIES[index].members if name in self.rows]

    def _year(self, index: int) -> int:
        return min(int(self.rows[name]["year"]) for name in self._members(index))

    def _parents(self, index: int) -> list[int]:
        """Return the families it descends from, the first one first."""
        named = [self.home[p] for m in self._members(index) for p in self.rows[m]["parents"]]
        return [each for each in dict.fromkeys(named) if each != index]

    def _depth(self, index: int) -> int:
        """Return how many of its forebears in a row are of the same year."""
        same = [p for p in self.parents[index] if self._year(p) == self._year(index)]
        return max((self._depth(p) + 1 for p in same), default=0)

    def _years(self) -> list[tuple[int, int, int]]:
        """Return each year with the row it begins at and how many rows it takes."""
        depths: dict[int, int] = {}
        for index in self.parents:
            year = self._year(index)
            depths[year] = max(depths.get(year, 0), self._depth(index) + 1)
        starts = [sum(list(depths.values())[:i]) for i in range(len(depths))]
        return [(year, at, depths[year]) for year, at in zip(depths, starts, strict=True)]

    def descents(self) -> list[tuple[int, int, bool]]:
        """Return pairs of parent and child, and whether it is the first parent."""
        return [(p, i, not at) for i, each in self.parents.items() for at, p in enumerate(each)]

    def band(self, at: int) -> str:
        """Draw one year: a line above it, its number, and how long it is since the last one."""
        year, start, _ = self.bands[at]
        y = TOP + STEP * start
        since = year - self.bands[at - 1][0] if at else 0
        later = f'<text class="since" x="0" y="{y + 40}">{since} years later</text>'
        return (
            f'<path class="year" d="M0 {y}H{WIDE}"/>'
            f'<text class="when" x="0" y="{y + 22}">{year}</text>{later if since > 1 else ""}'
        )

    def line(self, parent: int, child: int, first: bool) -> str:
        """Draw descent: over to the child's lane at once and down, or slowly to a second parent."""
        (x, y), (to_x, to_y) = self.places[parent], self.places[child]
        start, end = y + self._radius(parent) + 1, to_y - self._radius(child) - 1
        bend = min(end, start + STEP * 0.8) if first else end
        half = (start + bend) / 2
        return (
            f'<path class="{"descent" if first else "descent also"}" data-from="{parent}" '
            f'data-to="{child}" d="M{x:g} {start:.1f}C{x:g} {half:.1f} {to_x:g} {half:.1f} '
            f'{to_x:g} {bend:.1f}{f"V{end:.1f}" if bend < end else ""}"/>'
        )

    def _radius(self, index: int) -> float:
        return max(radius(self.rows[name]["parameters"]) for name in self._members(index))

    def family(self, index: int) -> str:
        """Draw the dots of a family in a row, with its title to their right."""
        x, y = self.places[index]
        names = self._members(index)
        radii = [radius(self.rows[name]["parameters"]) for name in names]
        at = x - (2 * sum(radii) + GAP * (len(radii) - 1)) / 2
        dots = ""
        for name, r in zip(names, radii, strict=True):
            dots += self._dot(name, at + r, y, r)
            at += 2 * r + GAP
        labels = [label for label in map(FAMILIES[index].members.get, names) if label]
        few = ", ".join(labels) if len(labels) < 4 else f"{labels[0]} to {labels[-1]}"
        side, under = f'x="{at + 3:.1f}"', ""
        if few:
            under = f'<text class="members" {side} y="{y + 13:g}">{safe(few)}</text>'
        return (
            f'<g class="family" data-family="{index}">{dots}'
            f'<text class="title" {side} y="{y if few else y + 4.5:g}">'
            f"{safe(FAMILIES[index].title)}</text>{under}</g>"
        )

    def _dot(self, name: str, x: float, y: float, r: float) -> str:
        told = f"{titles()[name]}, {self.rows[name]['parameters']:,} parameters"
        return (
            f'<a href="#net-{safe(name)}" aria-label="{safe(told)}">'
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{r:.2f}"/>'
            f'<circle class="hit" cx="{x:.1f}" cy="{y:.1f}" r="{max(r, 7):.1f}">'
            f"<title>{safe(told)}</title></circle></a>"
        )


def radius(parameters: int) -> float:
    """Return the radius of a dot whose area stands for parameters.

    >>> radius(100_000_000) / radius(25_000_000), radius(60_000)
    (2.0, 2.0)
    """
    return max(LEAST, PER_MILLION * sqrt(parameters / 1e6))


def _scale() -> str:
    """Draw dots that say how large others are."""
    parts, x = [], WIDE - 8.0
    for millions in reversed(SCALE):
        r = radius(millions * 1_000_000)
        x -= 52
        parts.append(f'<text class="key" x="{x + 6:.1f}" y="27">{millions} M</text>')
        parts.append(f'<circle class="dot" cx="{x - r:.1f}" cy="22" r="{r:.2f}"/>')
        x -= 2 * r + 14
    words = f'<text class="key end" x="{x + 2:.1f}" y="27">parameters:</text>'
    return f'<g class="scale" aria-hidden="true">{words}{"".join(parts)}</g>'
