"""The two files of a pair as masks: what a picture's grey values and a map's numbers stand for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput
from leuko.findings import Finding, Policy, Severity, gate
from leuko.formats.geometry import LABELS
from leuko.formats.read import read
from leuko.image.image import Image

__all__ = [
    "as_labels",
    "as_mask",
    "labels_in",
    "read_any_mask",
    "read_pair",
    "spoken_rule",
]

WHITE = 255
WHITE_RULE = "values 0 and 255: 255 is lesion"
WHITE_IS_ONE = Finding("evaluation.white", Severity.NOTE, "255 stands for 1.")
# What is no reason to refuse a mask: that it is one, or a picture or slice.
_HARMLESS = {LABELS, "grid.size_unknown", "grid.single_slice", "grid.orientation_unknown"}
LARGEST_LABEL = 65_535
MOST_LABELS = 1000


def read_pair(
    reference: Path, prediction: Path, *, labels: bool, only: Collection[int] = ()
) -> tuple[Image, Image]:
    """Both files, as masks or, with `labels`, as label maps; labels not in `only` become 0."""
    first, second = read_any_mask(reference), read_any_mask(prediction)
    if not labels:
        return as_mask(first), as_mask(second)
    return _kept(as_labels(first), only), _kept(as_labels(second), only)


def _kept(image: Image, only: Collection[int]) -> Image:
    """The label map without the labels that nobody asked for; all of it where `only` is empty."""
    if not only:
        return image
    return image.with_data(np.where(np.isin(image.data, list(only)), image.data, 0))


def read_any_mask(path: Path) -> Image:
    """The mask, label map or picture of one at `path`; raises what `read_mask` raises."""
    image = read(path)
    if image.volumes > 1:
        raise UnusableInput(
            f"{path.name} holds {image.volumes} volumes, where one is needed.",
            hint="Choose one: leuko convert --volume.",
        )
    findings = tuple(finding for finding in image.findings if finding.code not in _HARMLESS)
    gate(findings, policy=Policy.DEFAULT)
    return replace(image, findings=findings)


def as_mask(image: Image) -> Image:
    """The image with 255 as 1 where it holds nothing but 0 and 255, as masks in pictures do.

    A picture with more grey values than a mask has (a JPEG, smoothed edges) is cut at half of
    white. Everything else is returned as it is.
    """
    data = image.data
    if data.dtype == np.bool_ or data.max(initial=0) <= 2:
        return image
    if not np.any((data != 0) & (data != WHITE)):
        white = image.with_data((data == WHITE).astype(np.uint8))
        return replace(white, findings=(*image.findings, WHITE_IS_ONE))
    if image.grid.sized or data.max() > WHITE:
        return image
    doubt = Finding(
        "evaluation.grey_picture",
        Severity.WARNING,
        "The picture holds more values than a mask has; those from 128 count as lesion.",
        "Save masks as PNG with 0 and 255, or give --labels if its values are labels.",
    )
    binary = image.with_data((np.asarray(data, np.float64) > WHITE / 2).astype(np.uint8))
    return replace(binary, findings=(*binary.findings, doubt))


def spoken_rule(rule: str, *, reference: Image, prediction: Image) -> str:
    """`rule`, by which voxels of a prediction count, or that `as_mask` took 255 for 1."""
    said = WHITE_RULE if WHITE_IS_ONE in prediction.findings else rule
    return f"{said}; 255 in the reference is lesion" if WHITE_IS_ONE in reference.findings else said


def as_labels(image: Image) -> Image:
    """The image with whole numbers from 0 on, as a label map holds them.

    Raises UnusableInput (exit 4) for fractions, numbers below 0 and more than a thousand labels.
    """
    data = image.data
    name = image.source.name if image.source else "The map"
    if data.dtype == np.bool_:
        return image.with_data(data.view(np.uint8))
    if data.dtype.kind not in "iuf":
        raise UnusableInput(f"{name} holds no real numbers.", hint="Give a map of labels.")
    whole = np.rint(data)
    if data.dtype.kind == "f" and not np.array_equal(whole, data):
        raise UnusableInput(
            f"{name} holds fractions, where a label map holds whole numbers.",
            hint="Save the class of each voxel (0, 1, 2 ...), or leave out --labels.",
        )
    if data.min(initial=0) < 0 or data.max(initial=0) > LARGEST_LABEL:
        raise UnusableInput(
            f"{name} holds values from {data.min():g} to {data.max():g}; labels go from 0 to "
            f"{LARGEST_LABEL}.",
            hint="Number the classes 0, 1, 2 ...",
        )
    labelled = image.with_data(whole.astype(np.uint16))
    if len(labels_in(labelled.data)) > MOST_LABELS:
        raise UnusableInput(
            f"{name} holds more than {MOST_LABELS} values; that is an image, not a label map.",
            hint="Give a map of labels.",
        )
    return labelled


def labels_in(data: npt.NDArray[np.generic]) -> tuple[int, ...]:
    """The labels (above 0) that occur."""
    counts = np.bincount(np.asarray(data, np.int64).ravel())
    return tuple(int(value) for value in np.flatnonzero(counts) if value)
