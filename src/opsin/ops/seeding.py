"""Random draws as pure functions of where in a run they happen."""

from __future__ import annotations

import numpy as np
import torch


def generator(*key: int) -> torch.Generator:
    """Return a generator that depends on ``key`` alone, such as (seed, epoch, step, rank).

    Neighbouring keys give unrelated streams (numpy ``SeedSequence`` mixes them).

    >>> int(torch.randint(100, (1,), generator=generator(0, 1))) == int(
    ...     torch.randint(100, (1,), generator=generator(0, 1)))
    True
    """
    return torch.Generator().manual_seed(number(*key))


def reseed(device: torch.device, seed: int) -> None:
    """Start torch's own generators anew: the processor's, and that of the ``device`` in use.

    ``torch.manual_seed`` would do it for every kind of device there might be, with a stack trace
    for each: a twentieth of the step of a small net.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


def number(*key: int) -> int:
    """Return one 63-bit seed made of ``key``.

    >>> number(0, 1) != number(1, 0) and number(0) != number(0, 0)
    True
    """
    # SeedSequence takes (3,) and (3, 0) for the same: the length in front tells them apart.
    entropy = (len(key), *key)
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))
