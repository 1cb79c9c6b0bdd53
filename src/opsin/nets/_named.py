"""From what a person types, a name or a line, to a net in numbers."""

from __future__ import annotations

import re

from opsin.errors import InputError
from opsin.nets import _kept, _store, _zoo
from opsin.nets._aliases import canonical
from opsin.nets._blueprint import Blueprint
from opsin.nets._describe import Description, describe
from opsin.nets._spec import is_spec, parse

Pair = tuple[int, int]
WIDEST, DEEPEST = 65_536, 4096  # pixels a side, channels: more is a slip of the finger
MOST_CLASSES = 1_000_000


def described(
    net: str | Blueprint,
    *,
    size: Pair | None = None,
    channels: int | None = None,
    classes: int | None = None,
) -> Description:
    """Return any net in numbers: one of the known, any of timm or torchvision, or one in a line.

    ``size`` (h, w), ``channels`` and ``classes`` are the net's own where they are not given. No
    weights are made. Raises ``WeightsError`` for an unknown name, ``RecipeError`` that points into
    a line, and ``SizeError`` that names the layer where such pictures do not go through.

    >>> net = described("vgg16", classes=9)
    >>> net.parameters, net.rows[-1].parameters, net.field.size
    (134297417, 36873, (212, 212))
    """
    if classes is not None and not 1 <= classes <= MOST_CLASSES:
        raise InputError(f"classes {classes}", expected=f"1 to {MOST_CLASSES:,}")
    drawn = net if isinstance(net, Blueprint) else blueprint(net, size, channels)
    if classes and drawn.head is None:
        raise InputError(
            f"classes {classes} for {drawn.name}",
            expected="a net with a dense layer at its end",
            remedy=f"End it with: dense {classes}",
        )
    return describe(drawn, size, channels=channels, classes=classes)


def blueprint(net: str, size: Pair | None = None, channels: int | None = None) -> Blueprint:
    """Return the blueprint of a net; torch is only asked for what is neither in the package nor
    was recorded here before."""
    if is_spec(net):
        return parse(net)
    name = canonical(net)
    known = _store.stored(name)
    if known and not (size and min(size) < known.blueprint.least[0]):
        return known.blueprint
    asked = (name, size, channels)
    return _zoo.find(*asked) or _kept.read(*asked) or _recorded(*asked)


def _recorded(name: str, size: Pair | None, channels: int | None) -> Blueprint:
    """Record a net, and keep what came out for the next time."""
    from opsin.nets._sketch import from_libraries, native, sketch

    usual = native(name)
    drawn = sketch(name, size or usual[1], channels=channels or usual[0], outputs=usual[2])
    if from_libraries(name):
        _kept.keep(drawn, name, size, channels)
    return drawn


def picture(text: str) -> tuple[Pair, int | None]:
    """Return the size (h, w) and the channels of "224x224x3", "224x224" or "224".

    Raises ``InputError`` for anything else.

    >>> picture("224x192x3"), picture("28")
    (((224, 192), 3), ((28, 28), None))
    """
    found = re.fullmatch(r"[0-9]{1,6}([x×][0-9]{1,6}){0,2}", text.strip())
    high, *rest = [int(part) for part in re.split("[x×]", text)] if found else [0]
    wide, deep = [*rest, None, None][:2] if rest else (high, None)
    if not high or not wide or max(high, wide) > WIDEST or deep == 0 or (deep or 1) > DEEPEST:
        raise InputError(
            f"input {text!r}",
            expected=f"height x width x channels, as in 224x224x3, at most {WIDEST} pixels a side",
        )
    return (high, wide), deep
