"""Augmentation: parameters are drawn once a batch, then applied by kind.

A chain is one line of text, ``"flip, rotate 15, color 0.2"``, or the name of a policy. Drawing it
gives a ``Draw``, which warps pictures, masks and points alike: all geometry is composed into one
3x3 matrix a picture and sampled once, all colour (with the normalisation) into one 3x4 matrix.
Reading a line needs no torch; applying it does.
"""

from opsin.augment.auto import fitting
from opsin.augment.chain import POLICIES, Chain, parse
from opsin.augment.contact import sheet
from opsin.augment.draw import Draw
from opsin.augment.mixing import mixup

__all__ = ["POLICIES", "Chain", "Draw", "fitting", "mixup", "parse", "sheet"]
