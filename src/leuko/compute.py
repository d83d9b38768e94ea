"""What this machine offers for computing: processors and fast number formats."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

__all__ = ["has_fast_bf16", "thread_count"]

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def thread_count() -> int:
    """Number of processors this process may use, a container's quota included."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min(allowed, _quota() or allowed))


@cache
def has_fast_bf16() -> bool:
    """Whether the processor multiplies bfloat16 natively (AMX or AVX512_BF16)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


def _quota() -> int | None:
    """Whole processors of the container's quota (cgroup v2), None where there is none."""
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no such file, or 'max'
        return None
