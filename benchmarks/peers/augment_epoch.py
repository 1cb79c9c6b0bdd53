"""The seconds of a LeNet-5 epoch on MNIST with an augmentation, through the verb a user calls.

python augment_epoch.py IDX_FOLDER LINE
"""

import json
import sys
import tempfile

import opsin
from opsin.events import Epoch


def main() -> None:
    """Train for three epochs and print one line of JSON; the first one warms up."""
    folder, line = sys.argv[1:]
    told: list[Epoch] = []

    def watch(event: object) -> None:
        if isinstance(event, Epoch):
            told.append(event)

    recipe = opsin.Recipe(net="lenet5", policy="scratch", epochs=3, batch=128, augment=line)
    with tempfile.TemporaryDirectory() as out:
        opsin.train(folder, recipe, out=f"{out}/run", watch=watch)
    print(json.dumps({"seconds": sum(epoch.seconds for epoch in told[1:]) / 2}))


if __name__ == "__main__":
    main()
