"""The lesions by region as a label map: regions.nii.gz and the names of its values."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leuko.formats.write import write
from leuko.image.image import Image
from leuko.pipelines.label_names import REGION_VALUES, region_labels
from leuko.pipelines.outputs import writing
from leuko.pipelines.result import Result

__all__ = ["REGIONS_MAP", "REGIONS_NAMES", "regions_map", "write_regions_map"]

REGIONS_MAP, REGIONS_NAMES = "regions.nii.gz", "regions.tsv"


def regions_map(result: Result) -> Image:
    """uint8 on the scan's grid: 1 periventricular, 2 deep, 3 juxtacortical, 4 infratentorial.

    Whole lesions, by `Lesion.ms_region`; 5 where that is not known; 0 outside lesions.
    """
    values = np.zeros(len(result.table) + 1, dtype=np.uint8)
    for lesion in result.table:
        values[lesion.label] = REGION_VALUES[lesion.ms_region]
    return result.lesions.with_data(values[result.lesions.data])


def write_regions_map(result: Result, folder: Path, *, like: Image) -> None:
    """Write the map, on the grid and with the header of `like`, and its names (BIDS, `_dseg.tsv`).

    Raises WriteError (exit 6) or OutOfResources (exit 7).
    """
    with writing(REGIONS_MAP):
        write(regions_map(result), folder / REGIONS_MAP, like=like, labels=True)
        (folder / REGIONS_NAMES).write_text(region_labels().bids(), encoding="utf-8")
