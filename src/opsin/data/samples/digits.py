"""Real handwriting: 1,797 digits of 43 people, 8×8 grey, with a fixed test split of 20 %.

E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits" (UCI, 1998; CC BY 4.0), the
test part as scikit-learn carries it.
"""

from __future__ import annotations

import numpy as np

from opsin.data.dataset import Dataset
from opsin.data.sample import Sample
from opsin.results import Label

HELD_OUT = 0.2
SEED = 20


def read() -> Dataset:
    """Return the digits as grey arrays (8, 8), ink counts 0..16 stretched to 0..255.

    >>> data = read()
    >>> len(data), len(data.split("test")), data.classes[:3]
    (1797, 359, ('0', '1', '2'))
    """
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pixels = np.rint(loaded.images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8)
    order = np.random.default_rng(SEED).permutation(len(pixels))
    test = set(order[: round(HELD_OUT * len(pixels))].tolist())
    samples = (
        Sample(image, Label(str(k)), "test" if i in test else "train", name=f"digits/{i}")
        for i, (image, k) in enumerate(zip(pixels, loaded.target.tolist(), strict=True))
    )
    return Dataset(tuple(samples), "digits")
