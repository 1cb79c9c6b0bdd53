"""Truth and prediction, one small frozen class a kind.

What a net is taught with and what it predicts are the same type, so metrics, drawing, files and
reports are written once. Images here are uint8 arrays of shape (3, H, W), RGB.

Each kind has ``to_dict`` and ``from_dict``, ``located`` (whether it says where something is),
``placed`` and ``restored`` (the same in another frame), ``rows`` (what it says as rows of a table,
with the cells ``columns``), ``words`` (what one says of it) and ``draw``.
"""

from opsin.results.boxes import FLAGS, Boxes
from opsin.results.label import Label
from opsin.results.placement import Placement
from opsin.results.value import Value

Result = Label | Value | Boxes

__all__ = ["FLAGS", "Boxes", "Label", "Placement", "Result", "Value"]
