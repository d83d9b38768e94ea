"""What a conversion does to one image: a volume of it, other axes, another grid, other numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.findings import Finding, Severity
from leuko.formats.casting import cast
from leuko.formats.read import read
from leuko.formats.voxels import Voxels
from leuko.image.image import Image

__all__ = ["Conversion", "changed", "header_left"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is asked for beyond the format.

    `volume` counts from 0. `dtype` is a type of numbers, `reorient` three letters such as RAS,
    `like` an image whose grid is taken over. `labels` is a table of label names (a file, or the
    name of one of leuko's own), `tables` asks for all companion tables. `version` is NIfTI's.
    """

    volume: int | None = None
    dtype: str = ""
    reorient: str = ""
    like: Path | None = None
    labels: str = ""
    tables: bool = False
    version: int = 0


def changed(image: Image, how: Conversion, *, labels: bool) -> tuple[Image, list[Finding]]:
    """The image as it is to be written, and what was done to it."""
    findings: list[Finding] = []
    if how.volume is not None:
        if not 0 <= how.volume < image.volumes:
            raise UsageError(
                f"There is no volume {how.volume}: the image has {image.volumes}, counted from 0.",
                hint=f"Choose one from 0 to {image.volumes - 1}."
                if image.volumes > 1
                else "Leave out --volume.",
            )
        image = image.volume(how.volume)
    if how.like is not None:
        image, said = _like(image, read(how.like), labels=labels)
        findings += said
    if how.reorient:
        from leuko.image.reorient import reorient

        image = reorient(image, to=how.reorient)
    if how.dtype:
        values, rounded = cast(image.data, to=how.dtype)
        image = image.with_data(values)
        findings += rounded
    return image, findings


def _like(image: Image, other: Image, *, labels: bool) -> tuple[Image, list[Finding]]:
    """The image on the grid of another: moved where voxels meet, else resampled."""
    # Loaded on use: most conversions need neither.
    from leuko.image.place import placed
    from leuko.image.resample import Kernel, resample

    grid = other.grid
    if image.grid.oriented != grid.oriented:
        known, unknown = ("--like", "The image") if grid.oriented else ("the image", "--like")
        raise UnusableInput(
            f"{unknown} does not say how it lies in the body, {known} does: "
            "where the voxels belong is not known.",
            hint="Export it again from DICOM, with orientation.",
        )
    try:
        values = placed(image, onto=grid, what="The image")
        return _on(image, values, other), []
    except GridMismatch:
        kernel: Kernel = "label" if labels or image.data.dtype.kind in "bu" else "linear"
        moved = resample(image, onto=grid, kernel=kernel)
        said = Finding(
            "convert.resampled",
            Severity.NOTE,
            "The values were resampled onto the grid of --like "
            f"({'each voxel keeps one label' if kernel == 'label' else 'linear interpolation'}).",
        )
        return _on(image, moved.data, other), [said]


def _on(image: Image, values: Voxels, other: Image) -> Image:
    """Values on another image's grid, with its geometry header for files that keep it."""
    source, theirs = image.source, other.source
    if source is not None and theirs is not None:
        source = replace(source, format=theirs.format, header=theirs.header)
    return Image(values, other.grid, source, image.findings, image.seconds)


def header_left(image: Image) -> tuple[Finding, ...]:
    """That the old header was left behind, for an image that had one."""
    if image.source is None or not image.source.format:
        return ()
    return (
        Finding(
            "convert.header_left",
            Severity.NOTE,
            "Descriptions and other fields of the old header were not copied: "
            "they may hold patient data.",
        ),
    )
