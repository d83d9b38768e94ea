"""The first half of the main job: a scan is checked and shown to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Policy, gate
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.inference.predict import Prediction
from leuko.inference.views import predict_views
from leuko.models.card import Card
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.preparation.intensity import brain_level
from leuko.preparation.missing_slices import bridged, missing_slices
from leuko.preparation.prepare import Prepared, prepare, slice_axis
from leuko.progress import Journal
from leuko.quality.missing_slices import missing_slices_checks
from leuko.quality.scan import input_checks

if TYPE_CHECKING:
    from leuko.pipelines.t1_beside import T1Beside

__all__ = ["Observation", "as_one_brain", "observe", "prepared_for"]

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A scan in canonical axes and what the network saw in it, on the same voxels.

    The anatomy of the prediction is that of one brain (`clean_anatomy`).

    `t1` is the T1 as it was laid over the scan, None where there was none, or for a network that
    takes none.
    """

    data: npt.NDArray[Any]
    grid: Grid  # canonical
    prediction: Prediction
    findings: tuple[Finding, ...]
    t1: T1Beside | None = None


def observe(
    image: Image,
    *,
    config: SegmentConfig,
    model: Model,
    journal: Journal,
    t1: Image | None = None,
) -> Observation:
    """Check, normalise, resample, predict and restore; raises UnusableInput (exit 4) by policy.

    `t1` is of the same head; it is looked at where the network takes one, and only then. From
    here to the mask only the canonical array and its spacing decide, so that a flipped or
    permuted file gives exactly the flipped or permuted mask.
    """
    policy = Policy(config.policy)
    grid = image.grid.canonical()
    card = model.card
    with journal.step("check", policy=config.policy) as noted:
        data = np.ascontiguousarray(to_canonical(image.data, image.grid))
        findings = (*image.findings, *input_checks(data, spacing=grid.spacing))
        across = slice_axis(grid.spacing)
        missing = missing_slices(data, axis=across)
        findings += missing_slices_checks(missing, of=data.shape[across])
        noted["findings"] = len(findings)
        gate(findings, policy=policy)
    whole = bridged(data, planes=missing, axis=across) if missing else data
    with journal.step("normalise") as noted:
        level = noted["level"] = brain_level(data)
    beside = _laid_over(t1, image, card=card, journal=journal)
    if beside is not None:
        findings += beside.findings
        gate(beside.findings, policy=policy)
    show = partial(_show, data=whole, grid=grid, card=card, level=level)
    with journal.step("resample", pixel_mm=card.pixel_mm) as noted:
        prepared = show(beside=beside)
        count, height, width = prepared.slices.shape
        noted |= {"slices": count, "pixels": [height, width]}
        noted["slice_axis"] = _file_axis(image.grid, prepared.slice_axis)
    with journal.step("predict", weights=card.name, neighbours_mm=card.neighbours_mm) as noted:
        engine = model.engine
        noted |= {"engine": engine.name, "precision": engine.precision}
        noted["neighbour_slices"] = prepared.neighbours
        noted |= {"flips": card.views.flips, "planes": card.views.planes}
        look = partial(predict_views, engine=engine, views=card.views)
        prediction = look(prepared, again=partial(show, beside=beside))
        if beside is not None and beside.shown:
            beside = beside.judged(prepared, prediction=prediction)
            findings += beside.findings
            if not beside.shown:  # it was another contrast: once more without it
                prediction = look(show(beside=beside), again=partial(show, beside=beside))
    # Not before the network: it would wait for what these need.
    from leuko.quality.acquisition import acquisition_checks
    from leuko.quality.anatomy import anatomy_checks

    with journal.step("restore", shape=list(image.grid.shape)) as noted:
        perhaps = prediction.perhaps_lesion
        prediction = as_one_brain(prediction, data=whole, lesions=perhaps, spacing=grid.spacing)
        findings += anatomy_checks(
            whole,
            anatomy=prediction.anatomy,
            lesions=perhaps,
            spacing=grid.spacing,
            sided=image.grid.oriented,
        )
        findings += acquisition_checks(data, anatomy=prediction.anatomy, spacing=grid.spacing)
        noted["findings"] = len(findings)
        gate(findings, policy=policy)
    if missing:
        prediction = _unseen(missing, prediction=prediction, axis=across)
    return Observation(data, grid, prediction, findings, beside)


def prepared_for(
    card: Card,
    data: npt.NDArray[Any],
    *,
    spacing: Triple,
    level: float | None = None,
    axis: int | None = None,
) -> Prepared:
    """A canonical array as the network of `card` wants it; where it takes a T1, there is none.

    `level` and `axis` as `prepare` takes them.
    """
    prepared = prepare(
        data,
        spacing=spacing,
        pixel_mm=card.pixel_mm,
        neighbours_mm=card.neighbours_mm,
        level=level,
        axis=axis,
    )
    if not card.takes_t1:
        return prepared
    from leuko.preparation.t1 import no_t1

    return replace(prepared, t1=no_t1(prepared.geometry))


def as_one_brain(
    prediction: Prediction,
    *,
    data: npt.NDArray[Any],
    lesions: npt.NDArray[np.bool_],
    spacing: Triple,
) -> Prediction:
    """The prediction with the anatomy of one brain: nothing in the face and neck.

    `lesions` is where the prediction perhaps sees one (`Prediction.perhaps_lesion`).
    """
    from leuko.anatomy.cleaning import clean_anatomy

    anatomy = clean_anatomy(prediction.anatomy, image=data, lesions=lesions, spacing=spacing)
    return replace(prediction, anatomy=anatomy)


def _unseen(planes: Sequence[int], *, prediction: Prediction, axis: int) -> Prediction:
    """The prediction without anything in `planes`, where nothing was scanned."""
    seen = np.ones(prediction.anatomy.shape[axis], dtype=np.bool_)
    seen[list(planes)] = False
    kept = np.moveaxis(seen[:, None, None], 0, axis)
    return replace(
        prediction,
        lesion=prediction.lesion * kept,
        cap_rim=prediction.cap_rim * kept,
        anatomy=prediction.anatomy * kept,
    )


def _laid_over(t1: Image | None, flair: Image, *, card: Card, journal: Journal) -> T1Beside | None:
    """The T1 laid over the FLAIR, for a network that takes one."""
    if t1 is None or not card.takes_t1:
        return None
    from leuko.pipelines.t1_beside import lay_over

    return lay_over(t1, flair=flair, journal=journal)


def _show(
    axis: int | None = None,
    *,
    data: npt.NDArray[Any],
    grid: Grid,
    card: Card,
    level: float,
    beside: T1Beside | None,
) -> Prepared:
    """The scan as the network wants it, in slices along `axis`, with its T1 where it takes one."""
    prepared = prepared_for(card, data, spacing=grid.spacing, level=level, axis=axis)
    if beside is None or not beside.shown:
        return prepared
    return replace(prepared, t1=beside.stack(grid=grid, geometry=prepared.geometry))


def _file_axis(grid: Grid, canonical_axis: int) -> int:
    """The array axis of the file that a canonical axis is."""
    return grid.orientation.axes[canonical_axis] if grid.oriented else canonical_axis
