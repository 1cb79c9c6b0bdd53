"""The known nets as a table: history, what they cost and see, where their weights come from.

Whatever is a count is counted from the net's blueprint, here and now; nothing needs torch.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from opsin.errors import SizeError
from opsin.nets import _caches, _speeds, _store
from opsin.nets._describe import Description, describe
from opsin.nets._lineage import ORIGINS, Origin
from opsin.nets._named import described
from opsin.nets._spec import is_spec
from opsin.nets.weights import PACKAGES, package_file

# Packaged nets by what their features were worth on photographs, best for its time first.
OFFLINE = (
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite1",
    "tf_efficientnet_lite2",
    "mobilenetv2_100",
)
CLOSE = 0.01  # a count this near to the lecture's is the lecture's, rounded


def catalogue() -> list[dict[str, Any]]:
    """Return one row a known net, the oldest first; any other name of timm works too."""
    speeds = _speeds.read()
    return [row(name, speeds) for name in ORIGINS]


def row(name: str, speeds: dict[str, _speeds.Speed] | None = None) -> dict[str, Any]:
    """Return history, numbers and weights of a known net, for one picture of its own size.

    ``madds`` are multiply-adds, ``receptive_field`` is what one number of the last map sees, in
    pixels, None where that depends on the picture. ``remark`` says where a lecture's count is
    wrong.

    >>> found = row("lenet5")
    >>> found["parameters"], found["madds"], found["size"], found["year"]
    (61706, 416520, [28, 28], 1998)
    """
    known = _store.stored(name)
    assert known is not None
    net, origin = describe(known.blueprint), ORIGINS[name]
    speed = (_speeds.read() if speeds is None else speeds).get(name)
    return {
        "name": name,
        "year": origin.paper.year,
        "paper": origin.paper.to_dict(),
        "parents": list(origin.parents),
        "layers": origin.layers or net.depth,
        "depth": net.depth,
        "parameters": net.parameters,
        "madds": net.madds,
        "receptive_field": list(net.field.size) if net.field else None,
        "size": list(net.size),
        "channels": net.channels,
        **_weights(name, known),
        "images_per_second": speed.rate if speed else None,
        "runtime": speed.runtime if speed else None,
        "lecture": origin.lecture or None,
        "remark": remark(net, origin),
    }


def remark(net: Description, origin: Origin) -> str:
    """Return what one should know of a net's counts; where the lecture is wrong, that first.

    >>> from opsin.nets._named import described
    >>> remark(described("inception_v4"), ORIGINS["inception_v4"])
    'the lecture says 55 M parameters, it has 42,679,816: 55.8 M is Inception-ResNet-v2'
    """
    claimed = origin.claimed
    wrong = claimed is not None and abs(net.parameters - claimed) > CLOSE * claimed
    said = f"the lecture says {origin.lecture} parameters, it has {net.parameters:,}"
    return ": ".join(filter(None, [said if wrong else "", origin.remark]))


def _weights(name: str, known: _store.Stored) -> dict[str, Any]:
    """Return where the weights of a net come from, on this machine as it is, and their licence."""
    packaged, published = PACKAGES.get(name), known.published
    where = _caches.Published(**published) if published else None
    licence = packaged.licence if packaged else where.licence if where else ""
    if packaged and package_file(packaged):
        origin = f"package {packaged.distribution}"
    elif where and _caches.cached(where):
        origin = f"cache ({where.label})"
    else:
        origin = "download" if where or packaged else "none"
    return {"weights": origin, "licence": licence}


def parameters(net: str) -> int:
    """Return how many weights a net has with its usual head, counted without memory for them.

    Of a net in a line it depends on the pictures: those of 32×32 count, or the next size that fits.

    >>> parameters("lenet5")
    61706
    """
    for side in (32, 224) if is_spec(net) else ():
        with suppress(SizeError):
            return described(net, size=(side, side)).parameters
    return described(net).parameters


def by_accuracy() -> list[tuple[str, int]]:
    """Return the nets whose weights are installed with their multiply-adds, the best on ImageNet
    first (77.5, 76.6, 75.5 and 71.9 % top-1, as their authors state)."""
    ranked = ("tf_efficientnet_lite2", "tf_efficientnet_lite1", "tf_efficientnet_lite0")
    installed = [n for n in (*ranked, "mobilenetv2_100") if package_file(PACKAGES[n])]
    return [(name, described(name).madds) for name in installed or [best_offline()]]


def best_offline() -> str:
    """Return the best net whose weights are installed; the first of them where none is."""
    installed = [name for name in OFFLINE if package_file(PACKAGES[name])]
    return (installed or list(OFFLINE))[0]
