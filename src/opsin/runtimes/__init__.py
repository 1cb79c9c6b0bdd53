"""How a net is run forward, fast: the runtimes, the check that they agree, and the choice.

Shapes: N pictures, C channels, h and w of the net's input.
"""

from opsin.runtimes._choice import difference, fastest, in_int8, load, ranges, throughput
from opsin.runtimes._runtime import Runtime, find, names

__all__ = [
    "Runtime",
    "difference",
    "fastest",
    "find",
    "in_int8",
    "load",
    "names",
    "ranges",
    "throughput",
]
