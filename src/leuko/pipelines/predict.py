"""A trained model on an image: its label map on the image's own grid, its classes, its volumes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.findings import Finding, Severity
from leuko.formats.read import read, read_mask
from leuko.image.image import Image
from leuko.inference.trained import Trained, TrainedCard, load_trained
from leuko.inference.windows import classify_case, predict_case
from leuko.preparation.case import PreparedCase, prepare_case, restore

__all__ = ["Predicted", "predict", "predict_image", "require_channels"]

FloatArray = npt.NDArray[np.float32]
AnyPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What a model says of an image.

    `label`: the label map on the image's grid and in its axes; None of a classifier.
    `probabilities`: 0 to 1, of one class beside the background a volume, of several a volume each
    along the fourth axis, where they were asked for. `volumes`: mm3 of each class by name, of
    images without size in mm pixels. `scores`: a classifier's probability of each class, else
    empty. `seconds` counts preparing, the network and the way back, for `slices` slices.
    """

    label: Image | None
    probabilities: Image | None
    volumes: Mapping[str, float]
    scores: Mapping[str, float]
    names: Mapping[int, str]
    seconds: float
    slices: int
    findings: tuple[Finding, ...] = ()


def predict(
    model: AnyPath | Trained,
    image: AnyPath | Image | Sequence[AnyPath | Image],
    *,
    region: AnyPath | Image | None = None,
    probabilities: bool = False,
    precision: str = "auto",
    threads: int | None = None,
) -> Predicted:
    """Run the model in a folder (of `leuko export`) on an image, or on a list of its channels.

    Any format that `leuko.read` reads. To predict many images, load the model once:
    `leuko.inference.trained.load_trained`. Raises what reading raises, UsageError (exit 2) for
    another number of channels than the model's or where it needs a `region`, UnusableInput (exit
    4) for series, GridMismatch (exit 5) for a region on another grid.
    """
    trained = (
        model
        if isinstance(model, Trained)
        else load_trained(model, precision=precision, threads=threads)
    )
    given = [image] if isinstance(image, str | os.PathLike | Image) else list(image)
    require_channels(trained.card, len(given), region=region is not None)
    images = [one if isinstance(one, Image) else read(one) for one in given]
    mask = region if isinstance(region, Image) or region is None else read_mask(region)
    return predict_image(trained, images, region=mask, probabilities=probabilities)


def predict_image(
    trained: Trained,
    images: Sequence[Image],
    *,
    region: Image | None = None,
    probabilities: bool = False,
) -> Predicted:
    """The same for images in memory: the channels of one example, the first decides the grid."""
    card = trained.card
    require_channels(card, len(images), region=region is not None)
    begun = time.perf_counter()
    case = prepare_case(images, plan=card.plan, region=region)
    slices = int(case.image.shape[1])
    findings = [*(f for image in images for f in image.findings), *_about(images, card, region)]
    if card.task == "classification":
        found = classify_case(case, plan=card.plan, run=trained.run, classes=len(card.classes))
        scores = {name: float(p) for name, p in zip(card.classes, found, strict=True)}
        seconds = time.perf_counter() - begun
        return Predicted(None, None, {}, scores, {}, seconds, slices, tuple(findings))
    shares = predict_case(case, plan=card.plan, run=trained.run, classes=len(card.classes))
    classes, kept = _most_likely(shares, case, keep=probabilities)
    values = np.array([0, *card.labels], dtype=np.int64)
    kind = np.uint8 if values.max() <= np.iinfo(np.uint8).max else np.int16
    label = images[0].with_data(values.astype(kind)[classes])
    counts = np.bincount(classes.reshape(-1), minlength=len(values))[1:]
    unit = label.grid.voxel_mm3 if label.grid.sized else 1.0
    if not counts.any():
        findings.append(_nothing(card))
    return Predicted(
        label=label,
        probabilities=None if kept is None else images[0].with_data(kept),
        volumes={name: float(n) * unit for name, n in zip(card.classes[1:], counts, strict=True)},
        scores={},
        names=card.labels,
        seconds=time.perf_counter() - begun,
        slices=slices,
        findings=tuple(findings),
    )


def require_channels(card: TrainedCard, count: int, *, region: bool) -> None:
    """UsageError unless there are as many images as the model needs, and a region if it does."""
    needed = ", ".join(card.channels)
    if count != len(card.channels):
        images = "image" if len(card.channels) == 1 else "images"
        raise UsageError(
            f"The model {card.name} needs {len(card.channels)} {images} of each example "
            f"({needed}); {count} given.",
            hint="Name the others with --channel NAME=FILE, or give a list in Python."
            if count < len(card.channels)
            else f"Give only: {needed}.",
        )
    if card.region and not region:
        raise UsageError(
            f"The model {card.name} was trained within a mask, and needs one for each image.",
            hint="Give it with --region MASK (in Python: region=).",
        )


def _most_likely(
    shares: FloatArray, case: PreparedCase, *, keep: bool
) -> tuple[npt.NDArray[np.int16], FloatArray | None]:
    """The class of each voxel (X, Y, Z) in file axes, the first of equals; the foreground's shares.

    Class by class, so that the case's probabilities are never there twice.
    """
    kept: list[FloatArray] = []
    best = restore(shares[:1], case=case)[0]
    classes = np.zeros(best.shape, dtype=np.int16)
    for index in range(1, len(shares)):
        found = restore(shares[index : index + 1], case=case)[0]
        more = found > best
        classes[more] = index
        best[more] = found[more]
        if keep:
            kept.append(found)
    if not keep:
        return classes, None
    return classes, kept[0] if len(kept) == 1 else np.stack(kept, axis=-1)


def _about(images: Sequence[Image], card: TrainedCard, region: Image | None) -> list[Finding]:
    """What the model was not made for."""
    plan = card.plan
    found = []
    low = plan.window[0] if plan.window is not None else 0.0
    if low < 0 and any(float(image.data.min()) >= 0 for image in images):
        found.append(
            Finding(
                "predict.no_hounsfield",
                Severity.WARNING,
                "The model sees a window of HU, and the image holds no value below 0.",
                "Give the CT with its own values (DICOM, or converted from it without a shift).",
            )
        )
    grid = images[0].grid
    if plan.dims == 3 and grid.shape[2] == 1:
        found.append(
            Finding(
                "predict.single_slice",
                Severity.WARNING,
                "The model was trained on volumes, and the image is a single slice.",
                "Give the volume that the slice is from.",
            )
        )
    if plan.dims == 2 and plan.axis != "axial" and not grid.oriented and grid.shape[2] > 1:
        found.append(
            Finding(
                "predict.orientation_unknown",
                Severity.WARNING,
                f"The model sees {plan.axis} slices, and the image does not say how it lies.",
                "Give an image with its orientation (DICOM, NIfTI).",
            )
        )
    if region is not None and not card.region:
        found.append(
            Finding(
                "predict.region_unknown",
                Severity.WARNING,
                "The model was trained on whole images; in a region it sees other intensities.",
                "Leave the region out, and cut the mask afterwards.",
            )
        )
    return found


def _nothing(card: TrainedCard) -> Finding:
    return Finding(
        "predict.nothing_found",
        Severity.NOTE,
        f"Nothing was found: no voxel is {' or '.join(card.classes[1:])}.",
    )
