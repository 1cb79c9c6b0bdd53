"""A LeNet on idx files with Keras 3, in the manner of its MNIST example, with a random shift.

KERAS_BACKEND=tensorflow|jax|torch python keras_scratch.py IDX_FOLDER EPOCHS NET
"""

import json
import sys
import time

import keras
import numpy as np
from digits import NETS, read
from keras import layers


class Clock(keras.callbacks.Callback):
    """Notes the seconds of each epoch."""

    def __init__(self):
        super().__init__()
        self.taken = []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        self.taken.append(time.monotonic() - self.began)


def main():
    """Train and print one line of JSON."""
    folder, epochs, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    first, second, dense = NETS[name]
    (images, labels), (tests, truths) = read(folder, "train"), read(folder, "t10k")
    images, tests = (
        np.ascontiguousarray(each.transpose(0, 2, 3, 1)).astype("float32") / 255
        for each in (images, tests)
    )
    net = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.RandomTranslation(1 / 28, 1 / 28, fill_mode="constant"),
            layers.Conv2D(first, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(second, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            *(layers.Dense(units, activation="relu") for units in dense),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    descent = keras.optimizers.SGD(0.05, momentum=0.9)
    net.compile(descent, loss, metrics=["accuracy"])
    clock = Clock()
    net.fit(images, labels, batch_size=256, epochs=epochs, verbose=0, callbacks=[clock])
    _, right = net.evaluate(tests, truths, batch_size=1000, verbose=0)
    rate = len(images) * (epochs - 1) / sum(clock.taken[1:])
    print(json.dumps({"images_per_second": rate, "test_accuracy": float(right)}))


if __name__ == "__main__":
    main()
