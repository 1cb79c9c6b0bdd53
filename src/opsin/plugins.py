"""A plug-in is one file in a folder, found by its name: a task, a policy, a format, a set."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from opsin.errors import InputError


def names(package: str) -> list[str]:
    """Return the names of the plug-ins of a package: its files, but for those that begin with _.

    >>> names("opsin.tasks")
    ['classify', 'detect', 'localise', 'regress']
    """
    path = importlib.import_module(package).__path__
    return [found.name for found in pkgutil.iter_modules(path) if not found.name.startswith("_")]


def stem(name: str) -> str:
    """Return the name of the file a plug-in is found in: a file has _ where its name has a hyphen.

    >>> stem("x-or-o")
    'x_or_o'
    """
    return name.replace("-", "_")


def load(package: str, name: str, what: str, error: type[InputError]) -> Any:
    """Return the module of a plug-in; raise ``error`` with the names there are for another name.

    ``what`` is how the message calls such a thing, as in "the format 'coco'".
    """
    known, file = names(package), stem(name)
    if file not in known:
        raise error(
            f"the {what} {name!r}",
            expected=f"one of {', '.join(known)}",
            remedy=meant(file, known),
        )
    return importlib.import_module(f"{package}.{file}")


def named(thing: object) -> str:
    """Return the name of the plug-in that a class or an instance belongs to.

    >>> from opsin.recipe import Recipe
    >>> named(Recipe)
    'recipe'
    """
    kind: Any = thing if isinstance(thing, type) else type(thing)
    return str(kind.__module__).rpartition(".")[2]


def meant(name: str, known: Sequence[str]) -> str:
    """Return the question after the known name that ``name`` may be a misspelling of, or "".

    >>> meant("mnsit", ["cifar10", "mnist"])
    'Did you mean mnist?'
    """
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""
