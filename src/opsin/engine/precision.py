"""Which arithmetic a processor is fast in."""

from __future__ import annotations

import torch


def best(wish: str, accelerator: str, *, heavy: bool = True) -> str:
    """Return the precision for Fabric: bf16 where the processor computes in it, else float32.

    ``wish`` is ``auto``, ``bf16`` or ``float32``; ``auto`` leaves a net that is not ``heavy`` in
    float32 on a processor.

    >>> best("float32", "cpu")
    '32-true'
    """
    light = accelerator == "cpu" and not heavy
    if wish == "float32" or (wish == "auto" and (light or not has_bf16(accelerator))):
        return "32-true"
    return "bf16-mixed"


def has_bf16(accelerator: str) -> bool:
    """Say whether the processor multiplies bf16 in hardware (AVX512-BF16, AMX, or a recent GPU)."""
    if accelerator == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16") or features.get("bf16"))
