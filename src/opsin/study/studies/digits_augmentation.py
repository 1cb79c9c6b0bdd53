"""Which augmentation helps LeNet-5 on the embedded digits: a study that ends within a minute.

``laptop`` takes 3 seeds and 8 epochs, ``full`` 5 seeds and 30 epochs.
"""

from __future__ import annotations

from pathlib import Path

from opsin.study.plan import Plan, preset_of

PRESETS = {"laptop": (3, 8), "full": (5, 30)}  # seeds, epochs
POLICIES = ("none", "rotate 10", "translate 0.08", "rotate 10, translate 0.08", "digits")


def plan(preset: str, root: Path | None) -> Plan:
    """Return the plan: five augmentations of one net."""
    seeds, epochs = PRESETS[preset_of(preset, PRESETS)]
    return Plan(
        name="digits-augmentation",
        data="samples:digits",
        root=None if root is None else str(root),
        base={"net": "lenet5", "policy": "scratch", "epochs": epochs},
        grid={"augment": POLICIES},
        seeds=tuple(range(seeds)),
        built_in="digits-augmentation",
    )
