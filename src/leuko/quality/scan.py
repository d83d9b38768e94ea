"""Is the input a scan of a head at all? What the voxels alone say, before any network ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity

__all__ = ["Survey", "input_checks", "judge_survey", "survey"]

Voxels = npt.NDArray[Any]

SAMPLE_VOXELS = 1_500_000  # larger arrays are thinned for the statistics

# Label maps: labels repeat from voxel to voxel, intensities hardly ever do (8-bit scans: < 0.25).
FEW_VALUES = 12
FLAT_LABELS = 0.6
# CT: air is near -1000, soft tissue near 0 (Hounsfield units).
CT_AIR, CT_AIR_SHARE, CT_TISSUE = -700.0, 0.02, (-150.0, 200.0)
# Tissue: brighter than this share of the bright end (98th percentile of what is not background).
TISSUE_LEVEL = 0.2
SPARSE_TISSUE = 0.03  # of the box; angiograms and statistical maps are almost empty
# A head is 150 to 260 mm long in every direction, a brain 100 to 190 mm.
SMALL_BOX_MM, SLAB_MM, WHOLE_BRAIN_MM, LARGE_TISSUE_MM = 70.0, 30.0, 100.0, 320.0
PLANE_VOXELS = 40  # fewer in plane show no lesion
SPACING_MM = (0.2, 12.0)
COARSE_PLANE_MM, THICK_SLICE_MM = 2.1, 10.0
TISSUE_ML = 150.0


@dataclass(frozen=True, slots=True)
class Survey:
    """What the voxels look like, in numbers; lengths in canonical axes, mm."""

    constant: bool
    distinct: int  # different values in the sample, counted up to FEW_VALUES + 1
    whole_numbers: bool
    flat: float  # share of neighbouring voxels off the background that are exactly equal
    air: float  # share of voxels that would be air in Hounsfield units
    middle: float  # median of the voxels that would not be air
    tissue: float  # share of the box that holds tissue
    tissue_ml: float
    tissue_mm: tuple[float, float, float]  # extent of the tissue
    box_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]


def input_checks(data: Voxels, *, spacing: tuple[float, float, float]) -> tuple[Finding, ...]:
    """Findings about `data` (canonical axes, finite), with `spacing` in mm."""
    return judge_survey(survey(data, spacing=spacing))


def survey(data: Voxels, *, spacing: tuple[float, float, float]) -> Survey:
    """Measure `data` (canonical axes, finite); large arrays are sampled on a fixed pattern."""
    shape = (data.shape[0], data.shape[1], data.shape[2])
    thin = _thinned(data)
    box = (shape[0] * spacing[0], shape[1] * spacing[1], shape[2] * spacing[2])
    lowest, highest = float(data.min()), float(data.max())
    if lowest == highest:
        return Survey(True, 1, True, 1.0, 0.0, lowest, 0.0, 0.0, (0, 0, 0), box, shape, spacing)
    values = np.sort(thin, axis=None)  # what is asked of it below is then found at once
    background = _background(values)
    inside = thin > _tissue_level(values, background)
    voxel_ml = float(np.prod(box)) / 1000 / thin.size
    not_air = values[np.searchsorted(values, CT_AIR, side="right") :]
    return Survey(
        constant=False,
        distinct=_distinct(data),
        whole_numbers=bool(np.all(values == np.rint(values))),
        flat=_flatness(data, background),
        air=1 - not_air.size / values.size,
        middle=float(np.median(not_air)) if not_air.size else lowest,
        tissue=int(np.count_nonzero(inside)) / inside.size,
        tissue_ml=float(np.count_nonzero(inside)) * voxel_ml,
        tissue_mm=_extent(inside, box),
        box_mm=box,
        shape=shape,
        spacing=spacing,
    )


def judge_survey(seen: Survey) -> tuple[Finding, ...]:
    """What a survey means for a search for white matter hyperintensities, the gravest first."""
    if seen.constant:
        return (
            _refusal(
                "scan.empty",
                "The image is empty: all its voxels have the same value.",
                "Check the export or conversion of this scan.",
            ),
        )
    if seen.distinct <= FEW_VALUES or (seen.whole_numbers and seen.flat > FLAT_LABELS):
        return (
            _refusal(
                "scan.is_mask",
                "This looks like a mask or a label map, not like a scan: neighbouring voxels "
                "share the same few values.",
                "Give the FLAIR itself. To measure a mask: leuko measure FLAIR MASK -o OUT.",
            ),
        )
    if seen.air > CT_AIR_SHARE and CT_TISSUE[0] < seen.middle < CT_TISSUE[1]:
        return (
            _refusal(
                "scan.is_ct",
                "This looks like a CT: the values are those of air and tissue in Hounsfield units.",
                "White matter hyperintensities are seen on FLAIR MRI; give that.",
            ),
        )
    geometry = _geometry(seen)
    if any(finding.severity is Severity.REFUSAL for finding in geometry):
        return tuple(geometry)
    return (*geometry, *_content(seen))


def _geometry(seen: Survey) -> list[Finding]:
    low, high = SPACING_MM
    size = " x ".join(f"{length:.0f}" for length in seen.box_mm)
    voxel = " x ".join(f"{length:.3g}" for length in seen.spacing)
    _, second, third = sorted(seen.box_mm, reverse=True)
    if min(seen.spacing) < low or max(seen.spacing) > high:
        return [
            _refusal(
                "scan.voxel_size",
                f"Voxels of {voxel} mm are not those of a head scan.",
                "Check the units in the file's header, and whether slices are missing.",
            )
        ]
    if second < SMALL_BOX_MM or third < SLAB_MM or sorted(seen.shape)[1] < PLANE_VOXELS:
        return [
            _refusal(
                "scan.too_small",
                f"The image covers {size} mm: that is not a head.",
                "Give a scan of the whole head.",
            )
        ]
    found = []
    if third < WHOLE_BRAIN_MM:
        found.append(
            Finding(
                "scan.partial_coverage",
                Severity.WARNING,
                f"The image covers {size} mm: part of the brain is missing.",
                "Volumes and counts are those of the part that was scanned.",
            )
        )
    plane = sorted(seen.spacing)[1]
    if plane > COARSE_PLANE_MM or max(seen.spacing) > THICK_SLICE_MM:
        found.append(
            Finding(
                "scan.coarse",
                Severity.WARNING,
                f"Voxels of {voxel} mm are coarser than leuko was made for "
                "(2 mm in plane, 10 mm slices).",
                "Small lesions are missed; compare volumes only among scans of this kind.",
            )
        )
    return found


def _content(seen: Survey) -> list[Finding]:
    if seen.tissue < SPARSE_TISSUE or seen.tissue_ml < TISSUE_ML:
        return [
            _refusal(
                "scan.no_brain",
                f"There is no brain in this image: only {seen.tissue_ml:.0f} ml are brighter than "
                "the background. Angiograms and derived maps look like this.",
                "Give the FLAIR as it came from the scanner, or brain-extracted.",
            )
        ]
    if sorted(seen.tissue_mm)[1] > LARGE_TISSUE_MM:
        size = " x ".join(f"{length:.0f}" for length in seen.tissue_mm)
        return [
            _refusal(
                "scan.no_head",
                f"What is shown measures {size} mm: that is larger than a head.",
                "Give a scan of the head; check the units in the file's header.",
            )
        ]
    return []


def _refusal(code: str, what: str, hint: str) -> Finding:
    return Finding(code, Severity.REFUSAL, what, hint)


def _thinned(data: Voxels) -> Voxels:
    """Every n-th voxel along each axis, so that about SAMPLE_VOXELS remain at most."""
    step = max(1, round((data.size / SAMPLE_VOXELS) ** (1 / 3) + 0.49))
    steps = [step if length > 8 * step else 1 for length in data.shape]
    return np.ascontiguousarray(data[:: steps[0], :: steps[1], :: steps[2]])


def _middle_slab(data: Voxels) -> Voxels:
    """Neighbouring voxels from the middle of the array: a few slices, up to about 500,000."""
    area = data.shape[0] * data.shape[1]
    count = max(3, min(data.shape[2], 500_000 // area))
    first = max(0, (data.shape[2] - count) // 2)
    return np.ascontiguousarray(data[:, :, first : first + count])


def _background(values: Voxels) -> float:
    """The value of the corners of air: the commonest one if it is common, else the lowest tenth.

    `values` are sorted.
    """
    low = values[: np.searchsorted(values, np.percentile(values, 60), side="right")]
    first = _first_of_kind(low)
    counts = np.diff(first, append=low.size)
    if counts.max() > 0.05 * values.size:
        return float(low[first[int(np.argmax(counts))]])
    return float(np.percentile(values, 10))


def _first_of_kind(values: Voxels) -> npt.NDArray[np.intp]:
    """Where each different one of sorted values stands first."""
    return np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))


def _tissue_level(values: Voxels, background: float) -> float:
    """The level above which there is tissue; `values` are sorted."""
    bright = values[np.searchsorted(values, background, side="right") :]
    top = float(np.percentile(bright, 98)) if bright.size else background
    return background + TISSUE_LEVEL * (top - background)


def _distinct(data: Voxels) -> int:
    """How many different values there are, counted up to FEW_VALUES + 1."""
    slab = _middle_slab(data)
    if _first_of_kind(np.sort(slab, axis=None)).size > FEW_VALUES:
        return FEW_VALUES + 1
    # The middle may be poor in values (a lesion mask's often is empty there): look at all.
    return min(FEW_VALUES + 1, _first_of_kind(np.sort(data, axis=None)).size)


def _flatness(data: Voxels, background: float) -> float:
    """Share of neighbours, not both background, that are exactly equal."""
    slab = _middle_slab(data)
    equal = pairs = 0
    for axis in (0, 1):
        one = np.take(slab, range(slab.shape[axis] - 1), axis)
        other = np.take(slab, range(1, slab.shape[axis]), axis)
        off = (one != background) | (other != background)
        equal += int(np.count_nonzero((one == other) & off))
        pairs += int(np.count_nonzero(off))
    return equal / pairs if pairs else 1.0


def _extent(
    inside: npt.NDArray[np.bool_], box: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Length in mm along each axis on which planes hold a fair share (a fiftieth) of tissue."""
    lengths = []
    columns = np.count_nonzero(inside, axis=2)
    planes = columns.sum(axis=1), columns.sum(axis=0), np.count_nonzero(inside, axis=(0, 1))
    for axis, counts in enumerate(planes):
        share = counts / (inside.size / len(counts))
        held = np.flatnonzero(share > 0.02)
        count = held[-1] - held[0] + 1 if held.size else 0
        lengths.append(float(count / inside.shape[axis] * box[axis]))
    return (lengths[0], lengths[1], lengths[2])
