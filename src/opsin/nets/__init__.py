"""Architectures: every net of timm and torchvision by name, and our own, under one contract.

A net of our own is one file here that registers itself with timm; it is found by its file name.
"""

from opsin.nets._build import build, canonical
from opsin.nets._catalogue import best_offline, by_accuracy, catalogue, parameters
from opsin.nets._cut import Stage, cut, depth_groups, levels, stages, survey, taps
from opsin.nets._features import head, headless, num_features, pooled, set_head
from opsin.nets.weights import Weights, has_weights, resolve

__all__ = [
    "Stage",
    "Weights",
    "best_offline",
    "build",
    "by_accuracy",
    "canonical",
    "catalogue",
    "cut",
    "depth_groups",
    "has_weights",
    "head",
    "headless",
    "levels",
    "num_features",
    "parameters",
    "pooled",
    "resolve",
    "set_head",
    "stages",
    "survey",
    "taps",
]
