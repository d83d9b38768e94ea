"""What this machine offers for computing: processors and fast number formats."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["has_fast_bf16", "keep_memory", "thread_count"]

QUOTA = Path("/sys/fs/cgroup/cpu.max")
# M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD of malloc.h, with bytes.
MALLOPT = ((-3, 32 << 20), (-1, 1 << 30), (-2, 64 << 20))


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


def keep_memory() -> None:
    """Let this process keep memory that is freed, for the next scan; does nothing without glibc.

    Else each array that is larger than some MB is a piece of new memory, which the kernel must
    clear first: a twentieth of the time of a scan. What is kept is what the largest scan took.
    """
    import ctypes

    with suppress(OSError, AttributeError, TypeError):  # another C library, another system
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, size in MALLOPT:
            mallopt(parameter, size)


def _quota() -> int | None:
    """Whole processors of the container's quota (cgroup v2), None where there is none."""
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no such file, or 'max'
        return None
