"""The named policies: lines of text that have a name.

The twelve from ``original`` to ``elastic-elastic`` are the sets of Tabik, Peralta, Herrera-Poyatos
and Herrera, "A snapshot of image pre-processing for convolutional neural networks: case study of
MNIST", International Journal of Computational Intelligence Systems 10, 2017. Theirs are the names,
which transformations follow which, and how many pictures a set has: 60,000 for original and
centred, 300,000 (5 of each digit) where one thing is drawn, 1,500,000 (25 of each) where two are.
The strengths are our choice: elastic such that two of them bend as much as Simard, Steinkraus and
Platt (2003) bent the same digits (alpha 34 and sigma 4, and 24 is 34 over the root of two; Ciresan
et al. moved pixels as far in 2010); turns by up to 15 degrees, at which no digit reads as another;
shifts by up to a tenth of the side, about the margin that a digit has. Centring is by mass, and
MNIST's digits come centred so: there it undoes what a turn has shifted, and little else.
"""

from __future__ import annotations

POLICIES = {
    "none": "",
    "light": "flip, rotate 8, translate 0.05, scale 0.9 1.15, color 0.1",
    "strong": "flip, rotate 20, translate 0.1, scale 0.75 1.35, shear 10, color 0.4, cutout 0.3",
    "digits": "rotate 10, translate 0.08, scale 0.9 1.1, shear 10",
    "original": "",
    "centred": "centre",
    "elastic": "elastic 24 4",
    "translation": "translate 0.1",
    "rotation": "rotate 15",
    "elastic-centred": "elastic 24 4, centre",
    "rotation-centred": "rotate 15, centre",
    "translation-elastic": "translate 0.1, elastic 24 4",
    "translation-rotation": "translate 0.1, rotate 15",
    "rotation-elastic": "rotate 15, elastic 24 4",
    "rotation-elastic-centred": "rotate 15, elastic 24 4, centre",
    "elastic-elastic": "elastic 24 4, elastic 24 4",
}
