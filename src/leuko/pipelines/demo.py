"""The packaged sample, segmented and compared with its truth."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.evaluation.pair import pair_images
from leuko.evaluation.registry import CHALLENGE
from leuko.evaluation.scores import scores
from leuko.formats.read import read_mask
from leuko.image.image import Image
from leuko.models.sample import sample_path, truth_path
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.pipelines.outputs import writing
from leuko.pipelines.result import Result
from leuko.pipelines.segment import segment_file
from leuko.pipelines.statistics import Statistics
from leuko.progress import Watcher, silent

__all__ = ["Demonstration", "demonstrate"]

LESION = 1  # in the truth; 2 are periventricular caps and rims
METRICS = (*CHALLENGE, "lesion_f1_strict")


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The numbers of the sample and how its mask agrees with the truth."""

    statistics: Statistics
    agreement: Mapping[str, float]  # metrics by name, and both volumes in ml


def demonstrate(
    *,
    out: Path,
    config: SegmentConfig | None = None,
    model: Model | None = None,
    weights: Path | str | None = None,
    force: bool = False,
    watch: Watcher = silent,
) -> Demonstration:
    """Segment the packaged sample into `out`, put scan, truth and agreement beside the results.

    Scored by the definition of the config: `vascular` counts caps and rims of the truth, `ms`
    does not. Raises what `segment_file` raises.
    """
    chosen = config or SegmentConfig()
    found: dict[str, float] = {}

    def compare(result: Result, folder: Path) -> None:
        found.update(agreement(result.mask, definition=chosen.definition))
        with writing(folder.name):
            shutil.copyfile(sample_path(), folder / "sample_flair.nii.gz")
            shutil.copyfile(truth_path(), folder / "sample_truth.nii.gz")
            known = {name: None if np.isnan(value) else value for name, value in found.items()}
            (folder / "agreement.json").write_text(json.dumps(known, indent=2) + "\n")

    numbers = segment_file(
        sample_path(),
        out=out,
        config=chosen,
        model=model,
        weights=weights,
        force=force,
        watch=watch,
        also=compare,
    )
    return Demonstration(numbers, found)


def agreement(mask: Image, *, definition: str) -> dict[str, float]:
    """The challenge's metrics of a mask of the sample, and both volumes in ml."""
    truth = read_mask(truth_path())
    drawn: npt.NDArray[Any] = truth.data
    counted = drawn > 0 if definition == "vascular" else drawn == LESION
    reference = truth.with_data(counted.astype(np.uint8))
    voxel_ml = mask.grid.voxel_mm3 / 1000
    return {
        **scores(pair_images(reference, mask), names=METRICS),
        "truth_ml": float(np.count_nonzero(counted)) * voxel_ml,
        "found_ml": float(np.count_nonzero(mask.data)) * voxel_ml,
    }
