"""Backpropagation by hand: two hidden layers read handwriting in a second, in numpy alone.

    python examples/beautiful_backpropagation.py

Moves one weight to see its slope, takes all slopes from four equations, learns by them; asserts
that both slopes agree and the score on 360 digits it has not seen.
"""

import numpy as np
from sklearn.datasets import load_digits

from opsin.ops.descent import Descent, learn
from opsin.ops.linear import draw
from opsin.ops.losses import one_hot
from opsin.ops.multilayer import backward, classify

pixels, labels = load_digits(return_X_y=True)  # (1797, 64) and (1797,)
order = np.random.default_rng(0).permutation(len(labels))
x, truth = pixels[order] / 16, labels[order]
y = one_hot(truth, 10)  # (1797, 10)
layers = draw((64, 60, 40, 10))

# The slope of one weight, approximate: how much does the loss change when it moves a little?
weights, moved = layers[0].weights, []
for step in (1e-6, -1e-6):
    weights[5, 20] += step
    moved.append(backward(layers, x, y)[0])
    weights[5, 20] -= step
numerical = (moved[0] - moved[1]) / 2e-6
# The slopes of all 6,750 of them, exact, from one pass back.
analytic = backward(layers, x, y)[1][0].weights[5, 20]
print(f"slope of one weight: {numerical:.9f} measured, {analytic:.9f} by the chain rule")
assert abs(numerical - analytic) < 1e-8

for epoch, (found, loss) in enumerate(learn(layers, x[:-360], y[:-360], descent=Descent()), 1):
    accuracy = (classify(found, x[-360:]) == truth[-360:]).mean()
    if epoch in (1, 2, 5, 10, 20, 30):
        print(f"epoch {epoch:2}  loss {loss:.4f}  read rightly {accuracy:.1%} of 360")
assert accuracy >= 0.96
