"""One case: its images and mask as facts, and its share of the data set's histograms."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from leuko.errors import UnusableInput
from leuko.exploration.facts import Facts
from leuko.exploration.intensities import intensities_of
from leuko.exploration.labels import Array, body_view, label_facts
from leuko.image.image import Image

__all__ = ["channels_of", "measure"]


def measure(
    images: Sequence[Image], *, label: Image | None = None, names: Sequence[str] = ()
) -> Facts:
    """The facts of one case; `images` are channels, the first decides the grid.

    `names` are the files' names, those of the images first, then that of the label. Volumes of a
    series count as channels. Raises UnusableInput (exit 4) for an image without voxels.
    """
    first = images[0]
    grid = first.grid
    if not first.data.size:
        raise UnusableInput("The image has no voxels.", hint="Copy or convert it again.")
    named = [*names, *("" for _ in range(len(images) + 1 - len(names)))]
    picture = grid.shape[2] == 1
    body = grid if picture else grid.canonical()
    values = channels_of(first)[0]
    bad = [
        finding.what
        for image in images
        for finding in image.findings
        if finding.code == "voxels.not_finite"
    ]
    return Facts(
        shape=grid.shape,
        spacing=grid.spacing,
        body_shape=body.shape,
        body_spacing=body.spacing,
        orientation=grid.orientation.code if grid.oriented else "",
        oriented=grid.oriented,
        sized=grid.sized,
        picture=picture,
        channels=tuple(
            intensities_of(image, channel, file=name)
            for image, name in zip(images, named, strict=False)
            for channel in channels_of(image)
        ),
        not_finite=bad[0] if bad else "",
        voxels_sha256=_hash(values),
        label=None
        if label is None
        else label_facts(label, image=first, values=values, file=named[len(images)]),
    )


def channels_of(image: Image) -> list[Array]:
    """The volumes of an image, in body axes."""
    data = body_view(image.data, image.grid)
    return [data] if data.ndim == 3 else [data[..., index] for index in range(data.shape[3])]


def _hash(values: Array) -> str:
    """Of shape and values, whatever type they are stored in."""
    digest = hashlib.sha256(repr(values.shape).encode())
    for plane in values:  # one at a time: no copy of the whole
        digest.update(plane.astype(np.float32).tobytes())
    return digest.hexdigest()
