"""Pillow by hand, picture by picture: one affine transform, enhancers for the light; no bends."""

import math
import random

import numpy as np
import torch
from augment_cases import MEAN, STD, THREADS, main
from PIL import Image, ImageEnhance, ImageOps

BILINEAR = Image.Resampling.BILINEAR


def turned(image, shift=0.0, zoom=1.0, slant=0.0):
    """Return an image under a random affine map about its middle."""
    angle = math.radians(random.uniform(-15, 15))
    factor = math.exp(random.uniform(-math.log(zoom), math.log(zoom))) if zoom > 1 else 1.0
    shear = math.tan(math.radians(random.uniform(-slant, slant)))
    move = np.array([[1, shear], [0, 1]]) @ np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    back = np.linalg.inv(move * factor)
    size = np.array(image.size)
    centre = size / 2
    start = centre - back @ (centre + size * np.random.uniform(-shift, shift, 2))
    data = (*back[0], start[0], *back[1], start[1])
    return image.transform(image.size, Image.Transform.AFFINE, data, BILINEAR)


def lit(image):
    """Return an image in another light."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(random.uniform(0.7, 1.3))
    return image


def mirrored(image):
    """Return an image, mirrored or not."""
    return ImageOps.mirror(image) if random.random() < 0.5 else image


def chained(image):
    """Return an image after affine map, crop, mirror and light."""
    image = turned(image, 0.1, 1.2, 10)
    x, y = random.randint(0, 32), random.randint(0, 32)
    return lit(mirrored(image.crop((x, y, x + 224, y + 224))))


STEPS = {
    "28 rotate": turned,
    "224 rotate": turned,
    "224 flip": mirrored,
    "224 color": lit,
    "224 chain": chained,
}


def make(case):
    """Return the work of a case, None where Pillow has nothing for it."""
    if case not in STEPS:
        return None

    def work(batch):
        done = []
        for picture in batch:
            image = Image.fromarray(picture)
            done.append(np.atleast_3d(np.asarray(STEPS[case](image))))
        pixels = torch.from_numpy(np.stack(done)).permute(0, 3, 1, 2)
        return (pixels.float() / 255 - MEAN) / STD

    return work


def ready(plain):
    """Return pictures as (N, H, W, C), grey ones as (N, H, W)."""
    arrays = np.ascontiguousarray(plain.transpose(0, 2, 3, 1))
    return arrays[..., 0] if arrays.shape[-1] == 1 else arrays


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    main(make, ready)
