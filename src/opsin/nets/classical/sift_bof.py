"""SIFT bag of features: which visual words a picture has, wherever they stand.

Csurka, Dance, Fan, Willamowski & Bray, Visual Categorization with Bags of Keypoints, ECCV workshop
on Statistical Learning in Computer Vision, 2004: local descriptors, k-means, counts, a linear SVM.
"""

from __future__ import annotations

from typing import Any

from timm.models import register_model
from timm.models._features_fx import register_notrace_module

from opsin.nets.classical._counted import Counted, make
from opsin.nets.classical._words import Words

__all__ = ["BagOfFeatures", "sift_bof"]


@register_notrace_module  # type: ignore[untyped-decorator, unused-ignore]
class BagOfFeatures(Words):
    """Counts visual words over the whole picture."""

    paper = "Csurka et al. 2004"
    called = "SIFT bag of features"
    effort = 2.5
    vocabulary = 500
    levels = ((1, 1.0),)


@register_model  # type: ignore[untyped-decorator, unused-ignore]
def sift_bof(pretrained: bool = False, **settings: Any) -> Counted:
    """Make a bag of SIFT features with a linear layer."""
    return make(BagOfFeatures, pretrained, settings)
