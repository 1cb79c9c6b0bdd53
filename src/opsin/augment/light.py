"""Colours as numbers: what is grey, and how far from it a colour lies."""

from __future__ import annotations

import numpy as np

from opsin.augment.lots import Floats

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, section 2.5.1
YIQ = np.array(  # luma and two colour axes at right angles, FCC 1953
    [LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]]
)


def saturated(factor: Floats) -> Floats:
    """Return matrices that keep luma and multiply what is not grey: (n, 1, 1) -> (n, 3, 3).

    >>> saturated(np.zeros((1, 1, 1)))[0].tolist()[0]
    [0.299, 0.587, 0.114]
    """
    matrices: Floats = factor * np.eye(3) + (1 - factor) * LUMA  # rows sum to 1
    return matrices
