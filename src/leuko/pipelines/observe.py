"""The first half of the main job: a scan is checked and shown to the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Policy, gate
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.inference.predict import Prediction
from leuko.inference.views import predict_views
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.preparation.intensity import brain_level
from leuko.preparation.prepare import prepare
from leuko.progress import Journal
from leuko.quality.anatomy import anatomy_checks
from leuko.quality.scan import input_checks

__all__ = ["Observation", "observe"]


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A scan in canonical axes and what the network saw in it, on the same voxels."""

    data: npt.NDArray[Any]
    grid: Grid  # canonical
    prediction: Prediction
    findings: tuple[Finding, ...]


def observe(image: Image, *, config: SegmentConfig, model: Model, journal: Journal) -> Observation:
    """Check, normalise, resample, predict and restore; raises UnusableInput (exit 4) by policy.

    From here to the mask only the canonical array and its spacing decide, so that a flipped or
    permuted file gives exactly the flipped or permuted mask.
    """
    policy = Policy(config.policy)
    grid = image.grid.canonical()
    card = model.card
    with journal.step("check", policy=config.policy) as noted:
        data = np.ascontiguousarray(to_canonical(image.data, image.grid))
        findings = (*image.findings, *input_checks(data, spacing=grid.spacing))
        noted["findings"] = len(findings)
        gate(findings, policy=policy)
    with journal.step("normalise") as noted:
        level = noted["level"] = brain_level(data)
    with journal.step("resample", pixel_mm=card.pixel_mm) as noted:
        show = partial(
            prepare,
            data,
            spacing=grid.spacing,
            pixel_mm=card.pixel_mm,
            neighbour_mm=card.neighbour_mm,
            level=level,
        )
        prepared = show()
        count, height, width = prepared.slices.shape
        noted |= {"slices": count, "pixels": [height, width]}
        noted["slice_axis"] = _file_axis(image.grid, prepared.slice_axis)
    with journal.step("predict", weights=card.name, neighbour_mm=card.neighbour_mm) as noted:
        engine = model.engine
        noted |= {"engine": engine.name, "precision": engine.precision}
        noted["neighbour_slices"] = prepared.neighbour
        noted |= {"flips": card.views.flips, "planes": card.views.planes}
        prediction = predict_views(
            prepared, engine=engine, views=card.views, again=lambda axis: show(axis=axis)
        )
    with journal.step("restore", shape=list(image.grid.shape)) as noted:
        findings += anatomy_checks(
            data,
            anatomy=prediction.anatomy,
            lesions=prediction.perhaps_lesion,
            spacing=grid.spacing,
            sided=image.grid.oriented,
        )
        noted["findings"] = len(findings)
        gate(findings, policy=policy)
    return Observation(data, grid, prediction, findings)


def _file_axis(grid: Grid, canonical_axis: int) -> int:
    """The array axis of the file that a canonical axis is."""
    return grid.orientation.axes[canonical_axis] if grid.oriented else canonical_axis
