"""Lesion filling, as programs that measure atrophy want it: on files, on FLAIR and T1."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leuko.anatomy.filling import Filled, fill_lesions
from leuko.anatomy.tissues import written_values
from leuko.errors import UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.read import read, read_mask
from leuko.formats.write import format_to_write, write
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.models.classes import Tissue
from leuko.pipelines.measure import CONTINUOUS, counted, on_canonical_grid
from leuko.pipelines.outputs import require_free_file, writing
from leuko.pipelines.result import Result
from leuko.progress import Journal
from leuko.registration.apply import apply_to_mask
from leuko.registration.same_head import SameHead

__all__ = ["Filling", "fill", "fill_file", "write_all_filled"]

FLAIR, T1 = "flair_filled.nii.gz", "t1_filled.nii.gz"


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """The filled image, on the grid and in the type of the one given, and what was done.

    `level` and `noise` are of the normal white matter that it was filled from, `before` and
    `after` means within the mask, all in the image's units; None for an empty mask.
    """

    image: Image
    volume_ml: float
    voxels: int
    normal_voxels: int
    level: float | None
    noise: float
    before: float | None
    after: float | None
    findings: tuple[Finding, ...] = ()

    def numbers(self) -> dict[str, float | int | None]:
        """All but the image, for tables and journals."""
        names = ("volume_ml", "voxels", "normal_voxels", "level", "noise", "before", "after")
        return {name: getattr(self, name) for name in names}


def fill(image: Image, mask: Image, *, anatomy: Image | None = None) -> Filling:
    """Replace the voxels of `mask` in `image` by the like of normal white matter nearby.

    Of integers every label of the mask above 0 counts, of real numbers 0.5 and more; no other
    voxel is touched. `anatomy` is a label map as `segment` gives it; without one, what prevails
    within 10 mm around the lesions is taken for white matter, whatever the contrast of the image.
    All must lie on one grid, in whatever order and direction of axes, or GridMismatch (exit 5) is
    raised; UnusableInput (exit 4) for an image of several volumes, and where there is too little
    normal white matter to fill from.
    """
    if image.volumes > 1:
        raise UnusableInput(
            f"The image holds {image.volumes} volumes; one is filled.",
            hint="Take one out first: leuko convert --volume.",
        )
    grid = image.grid.canonical()
    lesions, said = counted(on_canonical_grid(mask, image))
    if CONTINUOUS in said:
        raise UnusableInput(CONTINUOUS.what, hint=CONTINUOUS.hint)
    white = None
    if anatomy is not None:
        labels = on_canonical_grid(anatomy, image, what="the anatomy")
        white = np.isin(labels, written_values(Tissue.WHITE_MATTER))
    values = np.ascontiguousarray(to_canonical(image.data, image.grid))
    done = fill_lesions(values, mask=lesions, spacing=grid.spacing, white=white)
    if done is None:
        raise UnusableInput(
            "There is too little normal white matter to fill the lesions from.",
            hint="Do mask and image belong together? Does the anatomy name white matter?",
        )
    return _told(done, image, findings=said)


def _told(done: Filled, image: Image, *, findings: tuple[Finding, ...]) -> Filling:
    def known(value: float) -> float | None:
        return None if np.isnan(value) else value

    return Filling(
        image.with_data(np.ascontiguousarray(from_canonical(done.data, image.grid))),
        volume_ml=round(done.voxels * image.grid.voxel_mm3 / 1000, 6),
        voxels=done.voxels,
        normal_voxels=done.normal_voxels,
        level=known(done.level),
        noise=done.noise,
        before=known(done.before),
        after=known(done.after),
        findings=findings,
    )


def fill_file(
    image: Path, mask: Path, *, out: Path, anatomy: Path | None = None, force: bool = False
) -> Filling:
    """Fill the lesions of the image in one file, given by the mask in another, into `out`.

    `out` is an image file of any format that is written; an input is never replaced. Raises what
    `fill`, `formats.read` and `formats.write` raise, WriteError (exit 6) where `out` is there.
    """
    given = [path for path in (image, mask, anatomy) if path is not None]
    format_to_write(out.name)
    require_free_file(out, inputs=given, force=force)
    scan = read(image)
    done = fill(scan, read_mask(mask), anatomy=None if anatomy is None else read_mask(anatomy))
    with writing(out.name):
        write(done.image, out, exact=_keeps_type(done.image, out.name))
    return done


def write_all_filled(
    result: Result,
    *,
    flair: Image,
    t1: Image | None,
    laid: SameHead | None,
    folder: Path,
    journal: Journal,
) -> tuple[Finding, ...]:
    """Write the FLAIR with the lesions of the result filled, and the T1 on its own grid.

    `laid` takes places of the FLAIR to places of the T1. Where a scan cannot be filled there is no
    file, and a finding says so.
    """
    findings = _write_filled(
        flair, mask=result.mask, anatomy=result.anatomy, name=FLAIR, folder=folder, journal=journal
    )
    if t1 is None or laid is None:
        return findings
    failed = [one for one in laid.findings if one.severity is Severity.REFUSAL]
    if failed:
        return (*findings, _not_filled(T1, failed[0].what))
    back = laid.transform.inverse()
    mask = apply_to_mask(result.mask, transform=back, onto=t1.grid)
    anatomy = result.anatomy and apply_to_mask(result.anatomy, transform=back, onto=t1.grid)
    found = _write_filled(t1, mask=mask, anatomy=anatomy, name=T1, folder=folder, journal=journal)
    return (*findings, *found)


def _write_filled(
    scan: Image, *, mask: Image, anatomy: Image | None, name: str, folder: Path, journal: Journal
) -> tuple[Finding, ...]:
    """Write a filled scan as a step of the journal; all on one grid."""
    with journal.step("fill", file=name) as noted:
        try:
            done = fill(scan, mask, anatomy=anatomy)
        except UnusableInput as error:
            return (_not_filled(name, error.what),)
        noted.update(done.numbers())
        with writing(name):
            write(done.image, folder / name, like=scan, exact=_keeps_type(scan, name))
    return ()


def _keeps_type(image: Image, name: str) -> bool:
    """Whether the file holds whole numbers of the type that the image has, unsigned ones too."""
    return image.data.dtype.kind in "iu" and name.endswith((".nii", ".nii.gz"))


def _not_filled(name: str, why: str) -> Finding:
    return Finding(
        "fill.not_filled",
        Severity.WARNING,
        f"{name} was not written. {why}",
        "Fill with a mask and a label map of your own: leuko fill.",
    )
