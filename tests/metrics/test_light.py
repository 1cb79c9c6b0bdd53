"""The room of numbers needs numpy and nothing heavier."""

from __future__ import annotations

import subprocess
import sys


def test_no_torch_is_loaded():
    code = (
        "import sys, pkgutil, importlib, opsin.metrics as m\n"
        "for f in pkgutil.iter_modules(m.__path__):\n"
        "    importlib.import_module(f'opsin.metrics.{f.name}')\n"
        "assert not {'torch', 'sklearn', 'scipy', 'PIL'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
