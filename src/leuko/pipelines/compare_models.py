"""Trained models, or the packaged one's definitions, on the same images: masks and speed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from leuko.errors import ReadError, UsageError
from leuko.formats.read import read, read_scan
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.inference.trained import load_trained
from leuko.pipelines.compare import Comparison, compare
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.evaluate import evaluate
from leuko.pipelines.model import load_model
from leuko.pipelines.pairing import is_single, named_files
from leuko.pipelines.predict import predict_image
from leuko.pipelines.segment import segment

__all__ = ["PACKAGED", "Likeness", "ModelComparison", "ModelRun", "compare_models"]

PACKAGED = ("vascular", "ms")
Runner = Callable[[Path], tuple[Image, float, int]]
"""From a file to its mask, the seconds that took after reading, and the number of slices."""


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One model on every image, by case: file of the mask, seconds, slices, volume in ml.

    Seconds count from the image in memory to the mask on its grid; what the first use alone takes
    (loading, warming up) is not in them. Volumes are nan for pictures without a size.
    """

    name: str
    masks: Mapping[str, Path]
    seconds: Mapping[str, float]
    slices: Mapping[str, int]
    volumes_ml: Mapping[str, float]

    @property
    def frames_per_second(self) -> float:
        """Slices a second over all images."""
        total = sum(self.seconds.values())
        return sum(self.slices.values()) / total if total else math.nan


@dataclass(frozen=True, slots=True)
class Likeness:
    """Dice between the masks of two models, by case (of label maps the mean of the labels)."""

    first: str
    second: str
    dice: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Models on `images` (case to file); `scores` where there was a reference."""

    images: Mapping[str, Path]
    runs: tuple[ModelRun, ...]
    likeness: tuple[Likeness, ...]
    labels: bool
    scores: Comparison | None = None


def compare_models(
    images: Iterable[Path],
    models: Mapping[str, str],
    *,
    masks: Path,
    reference: Path | None = None,
    metrics: Sequence[str] | None = None,
    labels: bool = False,
    names: Mapping[int, str] | None = None,
    watch: Callable[[str], None] | None = None,
) -> ModelComparison:
    """Run `models` on `images` (files, folders, patterns) and compare their masks and speed.

    `models` maps names to folders of `leuko export`, or to 'vascular' and 'ms', what the packaged
    model calls white matter hyperintensity. Masks are written to `masks`/NAME/CASE.nii.gz. With a
    `reference` the masks are scored as by `compare`. Raises UsageError (exit 2) for fewer than two
    models, and what reading, predicting and comparing raise.
    """
    if len(models) < 2:
        raise UsageError(
            "One model is compared with nothing.", hint="Give --model twice or more often."
        )
    files = named_files(images)
    if not files:
        raise ReadError("There is no image to compare models on.", hint="Check --image.")
    runs = []
    for name, place in models.items():
        if watch:
            watch(name)
        runs.append(_run(name, _runner(place), files, masks / name))
    scores = None
    if reference is not None:
        single = is_single(reference) and len(files) == 1
        case = next(iter(files))
        places = {run.name: run.masks[case] if single else masks / run.name for run in runs}
        scores = compare(reference, places, metrics=metrics, labels=labels, names=names)
    likeness = tuple(
        Likeness(a.name, b.name, {case: _dice(a, b, case, labels=labels) for case in files})
        for a, b in combinations(runs, 2)
    )
    return ModelComparison(files, tuple(runs), likeness, labels, scores)


def _runner(place: str) -> Runner:
    """What runs the model of that name or folder."""
    if place in PACKAGED:
        config = SegmentConfig(definition=place)  # type: ignore[arg-type]  # one of PACKAGED
        packaged = load_model(config)

        def found(path: Path) -> tuple[Image, float, int]:
            image = read_scan(path)
            begun = time.perf_counter()
            result = segment(image, config=config, model=packaged)
            return result.mask, time.perf_counter() - begun, _slices(image)

        return found
    trained = load_trained(Path(place))
    if trained.card.task != "segmentation":
        raise UsageError(
            f"The model {trained.card.name} classifies images; masks are compared here.",
            hint="Give models that segment.",
        )

    def predicted(path: Path) -> tuple[Image, float, int]:
        result = predict_image(trained, [read(path)])
        assert result.label is not None  # a segmentation model has one
        return result.label, result.seconds, result.slices

    return predicted


def _run(name: str, runner: Runner, files: Mapping[str, Path], masks: Path) -> ModelRun:
    runner(next(iter(files.values())))  # the first use pays for compiling
    written: dict[str, Path] = {}
    seconds, slices, volumes = {}, {}, {}
    for case, path in files.items():
        mask, seconds[case], slices[case] = runner(path)
        written[case] = masks / f"{case}.nii.gz" if mask.grid.sized else masks / f"{case}.png"
        written[case].parent.mkdir(parents=True, exist_ok=True)
        write(mask, written[case], labels=True)
        voxels = int(np.count_nonzero(mask.data))
        sized = mask.grid.sized
        volumes[case] = voxels * mask.grid.voxel_mm3 / 1000 if sized else math.nan
    return ModelRun(name, written, seconds, slices, volumes)


def _slices(image: Image) -> int:
    """Slices across the axis that runs from foot to head."""
    return image.grid.canonical().shape[2]


def _dice(first: ModelRun, second: ModelRun, case: str, *, labels: bool) -> float:
    sides = [read(run.masks[case]) for run in (first, second)]
    return evaluate(sides[0], sides[1], metrics=("dice",), labels=labels).values["dice"]
