"""A classifier as a detector: one learnt from crops finds objects in whole pictures.

``crops`` cuts what such a classifier learns from; ``searcher`` judges what a way (``ways``) holds
for worth a look, patches (``patches``) or every window at once (``sliding_net``); ``scored`` says
how good what it finds is.
"""

from opsin.locate.searcher import Searcher

__all__ = ["Searcher"]
