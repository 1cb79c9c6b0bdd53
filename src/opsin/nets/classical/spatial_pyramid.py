"""Spatial pyramid: which visual words stand in which part of a picture, coarsely and finely.

Lazebnik, Schmid & Ponce, Beyond Bags of Features: Spatial Pyramid Matching for Recognizing Natural
Scene Categories, CVPR 2006, section 3.2: 200 words; 1, 4 and 16 regions that weigh 1/4, 1/4 and
1/2. Their histogram intersection is replaced by its linear neighbour, roots of counts (Vedaldi &
Zisserman, Efficient Additive Kernels via Explicit Feature Maps, 2012).
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from timm.models._features_fx import register_notrace_module

from opsin.nets.classical._counted import Counted, make
from opsin.nets.classical._words import Words

__all__ = ["SpatialPyramid", "spatial_pyramid"]


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class SpatialPyramid(Words):
    """Counts visual words in 21 regions."""

    paper = "Lazebnik, Schmid & Ponce 2006"
    called = "spatial pyramid"
    effort = 2.6
    vocabulary = 200
    levels = ((1, 0.25), (2, 0.25), (4, 0.5))


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def spatial_pyramid(pretrained: bool = False, **settings: Any) -> Counted:
    """Make a spatial pyramid of SIFT words with a linear layer."""
    return make(SpatialPyramid, pretrained, settings)
