"""What a person can ask for: one short function a verb.

The command line is derived from these signatures: positional parameters become arguments, keyword
parameters and the fields of ``Recipe`` become options of the same name. Heavy imports stay inside,
so that ``opsin --help`` does not wait for torch.
"""

from opsin.verbs.lessons import augment, convolve, nets
from opsin.verbs.models import evaluate, locate, predict, quantize, train
from opsin.verbs.pictures import check, convert, crops
from opsin.verbs.studies import ensemble, study

__all__ = [
    "augment",
    "check",
    "convert",
    "convolve",
    "crops",
    "ensemble",
    "evaluate",
    "locate",
    "nets",
    "predict",
    "quantize",
    "study",
    "train",
]
