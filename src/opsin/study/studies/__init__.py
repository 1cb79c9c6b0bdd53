"""Studies by name, one file each: ``opsin study digits-augmentation --out DIR``.

Each has ``plan(preset, root)``, which returns a ``Plan``, and may have ``finish(folder)`` for what
comes after the rows.
"""
