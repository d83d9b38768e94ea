"""From stored numbers to real values: scaling, 32-bit floats, nothing that is not finite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity

__all__ = ["real_values"]

Voxels = npt.NDArray[np.generic]
EXACT_FLOAT32 = 1 << 24  # whole numbers up to here are held exactly


def real_values(
    stored: Voxels, *, slope: float = 1.0, inter: float = 0.0
) -> tuple[Voxels, tuple[Finding, ...]]:
    """Values `slope * stored + inter` and what was found; may change `stored` in place.

    Integers without scaling keep their type; all else becomes float32, in native byte order.
    NaN and infinity become 0 and are counted.
    """
    if not stored.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    whole = stored.dtype.kind in "iu"
    if slope == 1.0 and inter == 0.0:
        if whole:
            return stored, ()
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = stored.astype(np.float32, copy=False)
        rounded = _rounded(stored, narrow)
        finite, found = _finite(narrow)
        return finite, (*rounded, *found)
    # float32 holds integers to 2**24; what may be larger is scaled in float64.
    wide = np.float32 if whole and stored.dtype.itemsize <= 2 else np.float64
    with np.errstate(over="ignore", invalid="ignore"):
        values: npt.NDArray[np.floating] = stored.astype(wide)
        values *= slope
        values += inter
        return _finite(values.astype(np.float32, copy=False))


def _rounded(stored: Voxels, values: npt.NDArray[np.float32]) -> tuple[Finding, ...]:
    """That large whole numbers (labels of some atlases) did not survive as 32-bit floats."""
    if stored.dtype.itemsize <= 4 or not values.size or not np.max(values) > EXACT_FLOAT32:
        return ()
    with np.errstate(invalid="ignore"):
        changed = (stored == np.rint(stored)) & (values != stored) & np.isfinite(values)
    if not changed.any():
        return ()
    return (
        Finding(
            "voxels.rounded",
            Severity.WARNING,
            f"{np.count_nonzero(changed)} voxels hold whole numbers beyond {EXACT_FLOAT32:,} as "
            "64-bit floats; they were rounded to 32 bits.",
            "If they are labels, save them as integers first.",
        ),
    )


def _finite(values: npt.NDArray[np.float32]) -> tuple[Voxels, tuple[Finding, ...]]:
    # The extremes show NaN and infinity without an array of flags.
    if not values.size or (np.isfinite(values.min()) and np.isfinite(values.max())):
        return values, ()
    bad = ~np.isfinite(values)
    count = int(np.count_nonzero(bad))
    values[bad] = 0.0
    share = 100.0 * count / values.size
    return values, (
        Finding(
            "voxels.not_finite",
            Severity.WARNING,
            f"{count} voxels ({share:.2g} %) held no number (NaN or infinite); they were set to 0.",
            "Harmless outside the head; inside it, find out which processing step left them.",
        ),
    )
