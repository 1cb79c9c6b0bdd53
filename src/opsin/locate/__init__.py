"""A classifier as a detector: one learnt from crops finds objects in whole pictures.

``searcher`` judges what a way (``ways``) holds for worth a look: patches (``patches``) or every
window at once (``sliding_net``). ``crops`` cuts what such a classifier learns from, ``run`` answers
for many pictures, and ``scored`` says how good the answers are.
"""

from opsin.locate.searcher import Searcher

__all__ = ["Searcher"]
