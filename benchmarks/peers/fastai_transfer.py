"""One frozen epoch of fastai's vision_learner on a folder of photos, with given weights.

    python fastai_transfer.py FOLDER MOBILENET_V2.pth

Follows fastai's own quick start: 224 pixels, default augmentation, a new head on frozen layers.
Prints one line of JSON; the process is timed from outside.
"""

import json
import sys
import time

import torch
import torchvision
from fastai.vision.all import (
    CategoryBlock,
    DataBlock,
    ImageBlock,
    Resize,
    accuracy,
    aug_transforms,
    get_image_files,
    imagenet_stats,
    parent_label,
    vision_learner,
)
from fastai.vision.learner import default_split, model_meta


def split(files):
    """Return the indexes of training and validation files, by the folder two above."""
    train = [i for i, f in enumerate(files) if f.parent.parent.name == "train"]
    valid = [i for i, f in enumerate(files) if f.parent.parent.name == "validation"]
    return train, valid


def main() -> None:
    """Train one frozen epoch and measure on the test folder."""
    folder, path = sys.argv[1:]
    torch.set_num_threads(2)

    def mobilenet_v2(**_):
        """Return torchvision's net with the weights of the file instead of a download."""
        net = torchvision.models.mobilenet_v2()
        net.load_state_dict(torch.load(path, weights_only=True))
        return net

    # fastai knows no cut for this net: its body is all but the classifier, as for its other nets.
    model_meta[mobilenet_v2] = {"cut": -1, "split": default_split, "stats": imagenet_stats}
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=split,
        get_y=parent_label,
        item_tfms=Resize(224),
        batch_tfms=aug_transforms(),
    )
    loaders = block.dataloaders(folder, bs=64, num_workers=2)
    learner = vision_learner(loaders, mobilenet_v2, metrics=accuracy)
    learner.freeze()
    began = time.monotonic()
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(1)
    seconds = time.monotonic() - began
    test = loaders.test_dl(get_image_files(f"{folder}/test"), with_labels=True)
    with learner.no_bar():
        _, test_accuracy = learner.validate(dl=test)
        _, validation_accuracy = learner.validate()
    told = {
        "epoch_seconds": seconds,
        "test_accuracy": float(test_accuracy),
        "validation_accuracy": float(validation_accuracy),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
