"""Blueprints recorded on this machine: one file each in the user's cache folder.

What is not in the package takes torch and its zoos to record, seconds; the second time it is read.
A blueprint counts for the versions it was recorded with, and for the files of this folder as they
were.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from opsin.errors import DataError
from opsin.files import write_text
from opsin.nets._blueprint import Blueprint
from opsin.nets._zoo import installed

Pair = tuple[int, int]
LIBRARIES = ("torch", "torchvision", "timm")


def file(name: str, size: Pair | None, channels: int | None) -> Path:
    """Return the file of a net for such pictures: in $XDG_CACHE_HOME, or ~/.cache."""
    ours = max(each.stat().st_mtime_ns for each in Path(__file__).parent.glob("*.py"))
    asked = [name, size, channels, ours, *map(installed, LIBRARIES)]
    key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]
    general = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(general).expanduser() / "opsin" / "blueprints" / f"{key}.json"


def read(name: str, size: Pair | None, channels: int | None) -> Blueprint | None:
    """Return what was recorded of a net for such pictures; a damaged file holds nothing."""
    try:
        plain = json.loads(file(name, size, channels).read_text(encoding="utf-8"))
        return Blueprint.from_dict(plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep(drawn: Blueprint, name: str, size: Pair | None, channels: int | None) -> None:
    """Keep a blueprint for the next time; where the cache cannot be written there is none."""
    with suppress(DataError):
        write_text(file(name, size, channels), drawn.line())
