"""The errors a person can meet, as a tree.

    OpsinError                 anything this library raises on purpose
    └── InputError             what came in is wrong: exit code 2
        ├── DataError          a picture, a folder or a table
        ├── RecipeError        a setting of a run
        ├── SizeError          a window, and a picture it does not fit
        ├── WeightsError       a net's name or its pretrained weights
        └── ModelError         a model file, a checkpoint or a run folder

Anything else that escapes is a defect of ours: exit code 1.
"""

from __future__ import annotations


class OpsinError(Exception):
    """Is raised on purpose by this library; ``exit_code`` is what the command line returns."""

    exit_code = 1


class InputError(OpsinError):
    """Says what was received, what was expected and what to do about it.

    >>> print(InputError("size 0", expected="at least 1 pixel", remedy="Give --size 224."))
    received size 0; expected at least 1 pixel. Give --size 224.
    """

    exit_code = 2

    def __init__(self, received: str, *, expected: str, remedy: str = "") -> None:
        self.received, self.expected, self.remedy = received, expected, remedy
        super().__init__(f"received {received}; expected {expected}. {remedy}".strip())


class DataError(InputError):
    """Is raised for a picture, a folder or a table that cannot be read as asked."""


class RecipeError(InputError):
    """Is raised for a setting that is out of range or that contradicts another."""


class SizeError(InputError):
    """Is raised for a window no picture has room for, or a picture too small for its window."""


class WeightsError(InputError):
    """Is raised for an unknown net or for pretrained weights that cannot be had."""


class ModelError(InputError):
    """Is raised for a model file, a checkpoint or a run folder that cannot be used."""
