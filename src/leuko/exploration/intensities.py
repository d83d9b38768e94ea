"""The values of one channel: what they mean, their range, percentiles and histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.exploration.facts import PERCENTS, Intensities, Scale
from leuko.image.image import Image

__all__ = ["BELOW_HU", "CLASSES", "intensities_of", "sample_of", "scale_of"]

Values = npt.NDArray[Any]
CLASSES = 48  # of a case's own histogram
BELOW_HU, AIR_SHARE = -500.0, 0.02  # so much air or lung shows that a scan is CT
HIGHEST_HU, MEDIAN_HU = 32_768.0, 300.0
SAMPLE = 1 << 21  # voxels that percentiles and histograms are taken from


def intensities_of(image: Image, values: Values, *, file: str) -> Intensities:
    """The numbers of one channel's `values`, an array of any shape that belongs to `image`.

    Extremes and share of zeros are those of all voxels; mean, standard deviation, percentiles and
    histogram come from every n-th voxel where there are more than two million.
    """
    low, high = float(values.min()), float(values.max())
    sample = sample_of(values)
    cuts = np.percentile(sample, PERCENTS)
    scale, reason = scale_of(image, sample)
    return Intensities(
        file=file,
        dtype=str(values.dtype),
        scale=scale,
        reason=reason,
        minimum=low,
        maximum=high,
        mean=float(sample.mean()),
        sd=float(sample.std()),
        zero_share=1.0 - float(np.count_nonzero(values)) / values.size,
        percentiles=tuple(float(cut) for cut in cuts),
        histogram=_histogram(sample, float(cuts[0]), float(cuts[-1])),
    )


def sample_of(values: Values) -> npt.NDArray[np.float64]:
    """Every n-th value, in the array's index order, at most two million of them."""
    flat = values.reshape(-1)
    return flat[:: max(1, -(-flat.size // SAMPLE))].astype(np.float64)


def scale_of(image: Image, sample: npt.NDArray[np.float64]) -> tuple[Scale, str]:
    """What the values of an image mean, and how that is known.

    Hounsfield units where DICOM says that the modality is CT; else where at least 2 % of the voxels
    are below -500 (air, lung) and half of them below 300. That some values are below -500 is not
    enough: resampling and filters leave such in magnetic resonance images, too.
    """
    said = [finding.what for finding in image.findings if finding.code == "dicom.modality"]
    if said:
        name = said[0].removeprefix("The modality is ").split(",")[0]
        return "hounsfield" if name == "CT" else "arbitrary", f"DICOM modality {name}"
    if image.source is not None and image.source.format == "dicom":
        return "arbitrary", "DICOM modality MR"
    if image.grid.shape[2] == 1 and image.data.dtype == np.uint8:
        return "grey", "one slice, 8 bits"
    air = np.count_nonzero(sample < BELOW_HU) / sample.size
    possible = sample.min() >= -HIGHEST_HU and 0 < sample.max() <= HIGHEST_HU
    if air >= AIR_SHARE and possible and np.median(sample) < MEDIAN_HU:
        return "hounsfield", f"values below {BELOW_HU:.0f} as air and lung have in CT"
    return "arbitrary", "no CT header, and no air or lung as in CT"


def _histogram(sample: npt.NDArray[np.float64], low: float, high: float) -> tuple[int, ...]:
    if not high > low:
        return ()
    limited = np.clip(sample, low, high)
    counts, _ = np.histogram((limited - low) / (high - low), bins=CLASSES, range=(0.0, 1.0))
    return tuple(int(count) for count in counts)
