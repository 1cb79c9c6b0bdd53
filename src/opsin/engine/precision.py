"""Which arithmetic a processor is fast in."""

from __future__ import annotations

import torch


def best(wish: str, accelerator: str) -> str:
    """Return the precision for Fabric: bf16 where the processor computes in it, else float32.

    ``wish`` is ``auto``, ``bf16`` or ``float32``.

    >>> best("float32", "cpu")
    '32-true'
    """
    if wish == "float32" or (wish == "auto" and not has_bf16(accelerator)):
        return "32-true"
    return "bf16-mixed"


def has_bf16(accelerator: str) -> bool:
    """Say whether the processor multiplies bf16 in hardware (AVX512-BF16, AMX, or a recent GPU)."""
    if accelerator == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16") or features.get("bf16"))
