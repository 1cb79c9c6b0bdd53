"""How a line of text says where a classifier is to look: 'sliding, scales 64 128, step 0.1'.

A way is one of ``opsin.proposals``, or dense, for which no box is proposed: the net itself slides.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from opsin import plugins, proposals
from opsin.errors import RecipeError
from opsin.proposals._proposal import between

SWITCH = {"yes": True, "no": False, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Dense:
    """Says how large the objects are that a net slid over the picture finds, in pixels."""

    scales: tuple[float, ...] = (64, 128, 256)

    def __post_init__(self) -> None:
        for scale in self.scales:
            between("scales", scale, 1, 100_000)


class Way(NamedTuple):
    """Names a way to look, with its settings."""

    name: str
    settings: Any


def names() -> list[str]:
    """Return the ways there are.

    >>> names()
    ['blobs', 'contour', 'dense', 'selective', 'sliding']
    """
    return sorted([*proposals.names(), "dense"])


def read(line: str) -> Way:
    """Return the way that a line says; raise ``RecipeError`` for a name or a value that is wrong.

    >>> read("sliding, scales 64 128, step 0.1").settings.scales
    (64.0, 128.0)
    >>> read("contour, threshold 90, dark no").settings.dark
    False
    >>> read("slidng")
    Traceback (most recent call last):
    opsin.errors.RecipeError: received the way to propose 'slidng'; expected one of blobs, \
contour, dense, selective, sliding. Did you mean sliding?
    """
    name, *rest = (part.strip() for part in line.split(","))
    if name not in names():
        raise RecipeError(
            f"the way to propose {name!r}",
            expected=f"one of {', '.join(names())}",
            remedy=plugins.meant(name, names()),
        )
    usual = Dense() if name == "dense" else proposals.settings(name)
    known = {field.name: getattr(usual, field.name) for field in fields(usual)}
    given = {}
    for part in rest:
        word, *values = part.split()
        if word not in known:
            raise RecipeError(
                f"the setting {word!r} of {name}",
                expected=f"one of {', '.join(known)}",
                remedy=plugins.meant(word, list(known)),
            )
        given[word] = _value(word, values, known[word])
    return Way(name, type(usual)(**given))


def _value(word: str, values: list[str], usual: Any) -> Any:
    """Return what is written, of the kind that the usual value is of."""
    several = isinstance(usual, tuple)
    kind = type(usual[0] if several else usual)
    kind = float if several and kind is int else kind
    try:
        found = [SWITCH[v.lower()] if kind is bool else kind(v) for v in values]
    except (KeyError, ValueError):
        found = []
    if not found or (len(found) > 1 and not several):
        as_written = " ".join(map(str, usual)) if several else usual
        raise RecipeError(
            f"{' '.join([word, *values])!r}",
            expected=f"{word} and {'values' if several else 'a value'}, as '{word} {as_written}'",
        )
    return tuple(found) if several else found[0]
