"""Augmentation: parameters are drawn once a batch, then applied by kind.

A chain is one line of text, ``"flip, rotate 15, color 0.2"``, or the name of a policy. Drawing it
gives a ``Draw``, which warps pictures, masks, points and boxes alike: all geometry is composed into
one sampling grid, all colour (with the normalisation) into one 3x4 matrix. Reading a line needs no
torch; applying it does.
"""

from opsin.augment.again import check as check_views
from opsin.augment.again import glances, views
from opsin.augment.auto import fitting
from opsin.augment.chain import Chain, Copies
from opsin.augment.contact import sheet
from opsin.augment.draw import Draw
from opsin.augment.line import parse
from opsin.augment.mixing import mixed
from opsin.augment.named import POLICIES

__all__ = [
    "POLICIES",
    "Chain",
    "Copies",
    "Draw",
    "check_views",
    "fitting",
    "glances",
    "mixed",
    "parse",
    "sheet",
    "views",
]
