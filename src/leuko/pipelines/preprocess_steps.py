"""Each step of preprocessing: what it does to the image and its masks, and what it notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leuko.errors import ReadError, UnusableInput, UsageError
from leuko.formats.read import read
from leuko.image.crop import fitted, framed
from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.image.reorient import reorient
from leuko.image.resample import Kernel, resample
from leuko.image.resample_grids import isotropic, with_spacing
from leuko.masks.box import Box, bounding_box
from leuko.pipelines.preprocess_state import Noted, Session, State
from leuko.preparation import steps as kinds
from leuko.preparation.bias_field import correct_bias
from leuko.preparation.histogram import (
    Landmarks,
    measure_landmarks,
    parse_landmarks,
    to_landmarks,
)
from leuko.preparation.normalise import between_percentiles, z_score
from leuko.preparation.steps import Region
from leuko.preparation.window import PRESETS, windowed

__all__ = ["DO", "region_of"]

MATCHED = tuple(float(percent) for percent in range(1, 100))  # to a single image: more detail
AUTO: dict[str, Region] = {
    "zscore": "brain",
    "minmax": "white-matter",
    "percentile": "foreground",
    "histogram": "foreground",
}


def region_of(step: kinds.Normalise) -> Region:
    """Where a normalisation measures."""
    return AUTO[step.method] if step.region == "auto" else step.region


def _reorient(state: State, step: kinds.Reorient, noted: Noted) -> None:
    grid = state.image.grid
    state.move(lambda image, _: reorient(image, to=step.to))
    noted |= {"from": grid.orientation.code, "to": step.to.upper()}


def _brain(state: State, step: kinds.Brain, noted: Noted) -> None:
    state.find_brain(noted, step)
    state.stripped = state.stripped or step.apply


def _n4(state: State, step: kinds.N4, noted: Noted) -> None:
    region = step.region
    if region == "auto":
        region = "foreground" if state.brain is None else "brain"
    inside = state.region(region, noted)
    grid, data = state.image.grid, state.image.data
    mean = data if data.ndim == 3 else data.mean(axis=3, dtype=np.float32)
    found = correct_bias(
        to_canonical(mean, grid),
        spacing=grid.canonical().spacing,
        region=to_canonical(inside, grid),
        parameters=step,
    )
    fielded = np.ascontiguousarray(from_canonical(found.field, grid))
    state.field = Image(fielded, grid, state.image.source)
    low, high = np.percentile(fielded[inside], [1, 99])
    noted |= {"field_low": round(float(low), 4), "field_high": round(float(high), 4)}
    values = data.astype(np.float32)
    values /= fielded if data.ndim == 3 else fielded[..., None]
    state.set_values(values)


def _resample(state: State, step: kinds.Resample, noted: Noted) -> None:
    grid = state.image.grid
    if not grid.sized:
        raise UnusableInput(
            "The image has no size in mm, so it cannot be resampled to one.",
            hint="Use the step shape, which counts voxels.",
        )
    spacing = step.spacing
    onto = (
        with_spacing(grid, spacing)
        if isinstance(spacing, tuple)
        else isotropic(grid, float(spacing))
    )

    def change(image: Image, labels: bool) -> Image:
        kernel: Kernel = step.kernel
        if labels:
            kernel = "label" if _whole_numbers(image) else "linear"  # probabilities
        return resample(image, onto=onto, kernel=kernel)

    state.move(change)
    noted |= {"from_mm": list(grid.spacing), "to_mm": list(onto.spacing)}
    noted["shape"] = list(onto.shape)


def _whole_numbers(image: Image) -> bool:
    return image.data.dtype.kind != "f" or bool(np.array_equal(image.data, np.rint(image.data)))


def _window(state: State, step: kinds.Window, noted: Noted) -> None:
    low, high = PRESETS[step.preset] if step.preset else (step.low, step.high)
    assert low is not None
    assert high is not None
    noted |= {"low": low, "high": high}
    state.set_values(windowed(state.image.data, low=low, high=high, rescale=step.rescale))


def _normalise(state: State, step: kinds.Normalise, noted: Noted) -> None:
    region = region_of(step)
    if step.method == "histogram":
        _match(state, step, region, noted)
        return
    values = state.values(region, noted)
    if step.method == "zscore":
        scaling = z_score(values)
    else:
        usual = (0.0, 100.0, False) if step.method == "minmax" else (1.0, 99.0, True)
        low, high, clip = (
            given if given is not None else default
            for given, default in zip((step.low, step.high, step.clip), usual, strict=True)
        )
        scaling = between_percentiles(values, low=low, high=high, clip=bool(clip))
        noted |= {"low": low, "high": high}
    noted |= {"shift": scaling.shift, "scale": scaling.scale, "clip": scaling.clip}
    state.set_values(scaling(state.image.data))


def _match(state: State, step: kinds.Normalise, region: Region, noted: Noted) -> None:
    target = state.session.learnt
    if step.reference is not None:
        target = _scale(step.reference, region, state.session)
        noted["reference"] = Path(step.reference).name
    if target is None:
        raise UsageError(
            "A histogram needs something to be matched to.",
            hint="Give a reference image or standard scale; or preprocess a folder: then the "
            "scale is learnt from all of its images.",
        )
    own = measure_landmarks(state.values(region, noted), percentiles=target.percentiles)
    noted |= {"own": list(own.values), "target": list(target.values)}
    noted["percentiles"] = list(target.percentiles)
    state.set_values(to_landmarks(state.image.data, own=own, target=target))


def _scale(reference: str, region: Region, session: Session) -> Landmarks:
    """The landmarks of a reference: an image, or the JSON of an earlier run; read once."""
    key = f"{region} {reference}"
    if key not in session.scales:
        path = Path(reference)
        if path.suffix == ".json":
            session.scales[key] = parse_landmarks(_bytes_of(path), name=path.name)
        else:
            values = State(read(path), None, session).values(region, {})
            session.scales[key] = measure_landmarks(values, percentiles=MATCHED)
    return session.scales[key]


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read.", hint="Check the path.") from error


def _crop(state: State, step: kinds.Crop, noted: Noted) -> None:
    if step.to == "mask":
        if state.mask is None:
            raise UsageError("There is no mask to crop to.", hint="Give one with --mask.")
        inside = np.asarray(state.mask.data != 0)
    else:
        inside = state.region(step.to, noted)
    box = bounding_box(inside)
    if box is None:
        raise UnusableInput(
            "There is nothing to crop to: the mask is empty.",
            hint="Crop to the foreground instead.",
        )
    start, shape = _with_margin(box, state.image.grid, step.margin_mm)
    state.move(lambda image, _: framed(image, start=start, shape=shape))
    noted |= {"start": start, "shape": shape}


def _with_margin(box: Box, grid: Grid, margin_mm: float) -> tuple[list[int], list[int]]:
    more = [int(np.ceil(round(margin_mm / mm, 4))) for mm in grid.spacing]
    start = [max(part.start - by, 0) for part, by in zip(box, more, strict=True)]
    stop = [min(part.stop + by, size) for part, by, size in zip(box, more, grid.shape, strict=True)]
    return start, [last - first for first, last in zip(start, stop, strict=True)]


def _shape(state: State, step: kinds.Shape, noted: Noted) -> None:
    centre = None
    if step.centre != "image":
        box = bounding_box(state.region(step.centre, noted))
        if box is None:
            raise UnusableInput("There is nothing to centre on.", hint="Centre on the image.")
        centre = [(part.start + part.stop - 1) / 2 for part in box]
    darkest = float(state.image.data.astype(np.float32).min())
    fill = 0.0 if state.stripped else min(darkest, 0.0)  # air in CT, or below a z-score's mean

    def change(image: Image, labels: bool) -> Image:
        return fitted(image, shape=step.voxels, centre=centre, fill=0.0 if labels else fill)

    noted |= {"from": list(state.image.grid.shape), "fill": fill}
    state.move(change)


DO: dict[type, Callable[[State, Any, Noted], None]] = {
    kinds.Reorient: _reorient,
    kinds.Brain: _brain,
    kinds.N4: _n4,
    kinds.Resample: _resample,
    kinds.Window: _window,
    kinds.Normalise: _normalise,
    kinds.Crop: _crop,
    kinds.Shape: _shape,
}
