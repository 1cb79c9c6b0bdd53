"""How pictures were told apart before nets learnt to see: a rule describes, a linear SVM decides.

Each file here is one description under the contract of ``_counted.py``, registered with timm under
its own name. Nothing descends a gradient: code books are learnt by counting, and the last layer is
a support vector machine. They are the honest rivals of every net.
"""

from __future__ import annotations

import importlib

from opsin import plugins
from opsin.nets._aliases import canonical
from opsin.nets.classical._counted import Counted, Description

__all__ = ["Counted", "Description", "counted", "names"]


def names() -> list[str]:
    """Return the descriptions there are: the files of this folder.

    >>> "hog" in names()
    True
    """
    return plugins.names("opsin.nets.classical")


def counted(name: str) -> bool:
    """Say whether a net is one of these: it learns by counting, from pixels as they are.

    >>> counted("hog"), counted("lenet5")
    (True, False)
    """
    return canonical(name) in names()


for _name in names():
    importlib.import_module(f"opsin.nets.classical.{_name}")
