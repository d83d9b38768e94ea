"""Values in another type of number, on request: rounded with a word, never cut off."""

from __future__ import annotations

import numpy as np

from leuko.errors import UsageError
from leuko.findings import Finding, Severity
from leuko.formats.voxels import Voxels

__all__ = ["TYPES", "cast"]

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32",
         "float64")  # fmt: skip


def cast(data: Voxels, *, to: str) -> tuple[Voxels, tuple[Finding, ...]]:
    """`data` as numbers of the type `to` (one of `TYPES`), and a finding where they were rounded.

    Floats become the nearest whole numbers. Raises UsageError (exit 2) for an unknown type and
    for values that lie outside its range.
    """
    if to not in TYPES:
        raise UsageError(f"There is no type {to!r}.", hint=f"Choose: {', '.join(TYPES)}.")
    kind = np.dtype(to)
    if kind.kind == "f" or not data.size or data.dtype == kind:
        return data.astype(kind, copy=False), ()
    limits = np.iinfo(to)
    low, high = data.min(), data.max()
    if float(low) < limits.min or float(high) > limits.max:
        raise UsageError(
            f"Values from {float(low):g} to {float(high):g} do not fit into {to} "
            f"({limits.min} to {limits.max}).",
            hint="Choose a wider type.",
        )
    if data.dtype.kind in "iub":
        return data.astype(kind), ()
    whole = np.rint(data)
    worst = float(np.abs(whole - data).max())
    made = whole.astype(kind)
    if worst == 0.0:
        return made, ()
    return made, (
        Finding(
            "convert.rounded",
            Severity.WARNING,
            f"Values were rounded to whole numbers, by up to {worst:.2g}.",
            "Keep a float type (--dtype float32) if fractions matter, as in a probability map.",
        ),
    )
