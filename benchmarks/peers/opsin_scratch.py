"""LeNet-5 on Fashion-MNIST with opsin, through the same verb a user calls.

python opsin_scratch.py FASHION_MNIST_IDX_FOLDER EPOCHS
"""

import json
import sys
import tempfile

import opsin
from opsin.events import Epoch


def main() -> None:
    """Train and print one line of JSON."""
    folder, epochs = sys.argv[1], int(sys.argv[2])
    told: list[Epoch] = []
    steps: list[tuple[int, float]] = []

    def watch(event: object) -> None:
        if isinstance(event, Epoch):
            told.append(event)
            steps.append((event.step, event.seconds))

    recipe = opsin.Recipe(
        net="lenet5", policy="scratch", epochs=epochs, batch=256, augment="flip, translate 0.07"
    )
    with tempfile.TemporaryDirectory() as out:
        model = opsin.train(folder, recipe, out=f"{out}/run", watch=watch)
    each = steps[0][0] * recipe.batch  # pictures in an epoch
    rate = each * (epochs - 1) / sum(seconds for _, seconds in steps[1:])
    accuracy = model.about["metrics"]["accuracy"]["value"]
    print(json.dumps({"images_per_second": rate, "test_accuracy": accuracy}))


if __name__ == "__main__":
    main()
