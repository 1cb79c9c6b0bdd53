"""A LeNet on idx files with opsin, through the same verb a user calls.

python opsin_scratch.py IDX_FOLDER EPOCHS NET
"""

import json
import sys
import tempfile

import opsin
from opsin.events import Epoch

NETS = {
    "lenet5": "lenet5",
    "lenet-8-32": "conv 5x5x8 pad 2, pool 2, conv 5x5x32, pool 2, dense 128, dense 10",
}


def main() -> None:
    """Train and print one line of JSON."""
    folder, epochs, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    told: list[Epoch] = []

    def watch(event: object) -> None:
        if isinstance(event, Epoch):
            told.append(event)

    recipe = opsin.Recipe(
        net=NETS[name], policy="scratch", epochs=epochs, batch=256, augment="translate 0.036"
    )
    with tempfile.TemporaryDirectory() as out:
        model = opsin.train(folder, recipe, out=f"{out}/run", watch=watch)
    each = told[0].step * recipe.batch  # pictures in an epoch
    rate = each * (epochs - 1) / sum(epoch.seconds for epoch in told[1:])
    accuracy = model.about["metrics"]["accuracy"]["value"]
    print(json.dumps({"images_per_second": rate, "test_accuracy": accuracy}))


if __name__ == "__main__":
    main()
