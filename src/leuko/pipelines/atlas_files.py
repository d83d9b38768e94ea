"""A user's atlas: read, and checked to lie in MNI space before anything is measured with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.template import SPACE, load_template
from leuko.anatomy.tissue_maps import BRAIN
from leuko.errors import UnusableInput, UsageError
from leuko.findings import Finding, Severity
from leuko.formats.read import read
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.models.classes import Tissue
from leuko.pipelines.atlas_names import read_names, side_of
from leuko.pipelines.provenance import name_of, sha_of

__all__ = ["Atlas", "load_atlases", "read_atlas"]

MOST_REGIONS = 5000
LEAST_INSIDE = 0.85  # of an atlas's labels must lie in or near the template's brain
LARGEST_VALUE = 1 << 20
THINNED_FROM = 100  # voxels along an axis: every other one tells as much
LEAST_FLAT = 0.6  # of neighbours have one label in atlases (parcels of a few voxels: .75)
NEAR_MM = 6.0  # between the templates of the MNI a border may move by as much
LEAST_SEEN = 0.5  # of labels named left that must lie on the left, where names tell
# The classic box of the ICBM's atlases at 1 mm: world of its first voxel's centre.
NIFTI1_BYTES, SCANNER_SPACE = 348, 1  # nifti1.h: NIFTI_XFORM_SCANNER_ANAT
# Shapes (sorted) in which the MNI's templates come from FSL, SPM, CAT12, the MNI and TemplateFlow.
MNI_BOXES = frozenset(
    {
        (182, 182, 218), (91, 91, 109), (181, 181, 217), (193, 193, 229), (97, 97, 115),
        (189, 197, 233), (95, 99, 117), (136, 157, 189), (68, 79, 95), (79, 79, 95),
        (121, 121, 145), (113, 113, 137), (61, 61, 73), (45, 45, 54),
    }
)  # fmt: skip
CLASSIC_SHAPE, CLASSIC_ORIGIN = (181, 217, 181), (-90.0, -126.0, -72.0)


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Regions in MNI space; `image` holds their values (int32, RAS axes), `names` all of them."""

    name: str
    sha256: str
    image: Image
    names: Mapping[int, str]
    findings: tuple[Finding, ...] = ()


def load_atlases(files: Sequence[str], labels: Sequence[str] = ()) -> tuple[Atlas, ...]:
    """The atlases in `files`, each with the table at its place in `labels`, if there is one.

    Read once, however many scans are measured. Raises what `read_atlas` raises, and UsageError
    (exit 2) for more tables than atlases, or two atlases of one name.
    """
    if len(labels) > len(files):
        raise UsageError(
            f"Tables of names: {len(labels)}, atlases: {len(files)}.",
            hint="Give --atlas-labels once for each --atlas, in the same order.",
        )
    tables = [*labels, *[""] * (len(files) - len(labels))]
    found = tuple(
        _loaded(file, table, _changed(file), _changed(table))
        for file, table in zip(files, tables, strict=True)
    )
    names = [atlas.name for atlas in found]
    if len(set(names)) < len(names):
        raise UsageError(
            f"Two atlases have the name {max(names, key=names.count)}.",
            hint="Their tables would overwrite each other; rename one of the files.",
        )
    return found


@lru_cache(maxsize=8)
def _loaded(file: str, labels: str, changed: float, labels_changed: float) -> Atlas:  # noqa: ARG001
    return read_atlas(Path(file), labels=Path(labels) if labels else None)


def _changed(file: str) -> float:
    try:
        return Path(file).stat().st_mtime if file else 0.0
    except OSError:
        return 0.0


def read_atlas(path: Path, *, labels: Path | None = None) -> Atlas:
    """An atlas in MNI space from a label image, and the names of its regions.

    A header that puts the brain elsewhere is not believed where the image has the classic box of
    the ICBM (181 x 217 x 181 voxels of 1 mm): it is placed there, with a finding. Raises
    UnusableInput (exit 4) for several volumes, values that are no labels, or another space, and
    what `formats.read` and `atlas_names.read_names` raise.
    """
    image = read(path)
    values = _labels(image, name=path.name)
    present = _present(values)
    names, odd = read_names(labels, values=present) if labels else ({}, ())
    named = {value: names.get(value, f"region {value}") for value in sorted({*present, *names})}
    placed, about = _in_mni(image, values, named, name=path.name)
    return Atlas(
        name=re.sub(r"(\.nii)?\.gz$|\.[^.]+$", "", path.name),
        sha256=sha_of(image.source) or "",
        image=placed,
        names=named,
        findings=(*odd, *about, *_about_sides(placed, named, name=name_of(image.source))),
    )


def _labels(image: Image, *, name: str) -> npt.NDArray[np.int32]:
    """The values as labels, RAS axes."""
    if image.volumes > 1:
        raise UnusableInput(
            f"The atlas {name} holds {image.volumes} volumes: it is probabilistic.",
            hint="Give its map of the most probable label (maxprob), one volume of whole numbers.",
        )
    if not image.grid.sized or min(image.grid.shape) < 10:
        raise UnusableInput(
            f"{name} is no volume, so it is no atlas.", hint="Give a label image in MNI space."
        )
    data = to_canonical(image.data, image.grid)
    data = data[..., 0] if data.ndim == 4 else data
    labels = data.astype(np.int32)
    if labels.min() < 0 or np.any(data != labels):
        raise UnusableInput(
            f"The values of {name} are no labels: they are not whole numbers from 0 up.",
            hint="Give an image in which every region has its own whole number.",
        )
    count = len(_present(labels))
    if not 1 <= count <= MOST_REGIONS or _flatness(labels) < LEAST_FLAT:
        raise UnusableInput(
            f"{name} is no atlas: it has {count} different labels that lie like a scan's values."
            if count
            else f"The atlas {name} is empty.",
            hint="Give an image in which every region has its own whole number.",
        )
    return np.ascontiguousarray(labels)


def _present(labels: npt.NDArray[np.int32]) -> list[int]:
    """Every label but 0, rising."""
    if int(labels.max()) > LARGEST_VALUE:
        return [int(value) for value in np.unique(labels) if value]
    return [int(value) for value in np.flatnonzero(np.bincount(labels.ravel(order="K"))) if value]


def _flatness(labels: npt.NDArray[np.int32]) -> float:
    """The share of labelled neighbours along the first axis that have one label."""
    one, other = labels[:-1, ::2, ::2], labels[1:, ::2, ::2]
    both = (one > 0) & (other > 0)
    return float((one == other)[both].mean()) if both.any() else 0.0


def _in_mni(
    image: Image, values: npt.NDArray[np.int32], names: Mapping[int, str], *, name: str
) -> tuple[Image, tuple[Finding, ...]]:
    """The atlas at its place in MNI space."""
    grid = image.grid.canonical()
    stated = Image(values, grid, image.source)
    if image.grid.oriented and _inside(stated) >= LEAST_INSIDE:
        return stated, _about_space(image, name=name)
    spacing = np.array(grid.spacing)
    if values.shape == CLASSIC_SHAPE and np.allclose(spacing, 1.0, atol=0.01):
        affine = np.eye(4)
        affine[:3, 3] = CLASSIC_ORIGIN
        placed = Image(values, Grid(CLASSIC_SHAPE, affine), image.source)
        if _inside(placed) >= LEAST_INSIDE:
            return _classic(placed, names, name=name)
    told = "does not say how it lies" if not image.grid.oriented else "puts it elsewhere"
    raise UnusableInput(
        f"The atlas {name} does not lie in MNI space: its header {told}; "
        f"{_inside(stated):.0%} of its labels lie in the brain of the template ({SPACE}).",
        hint="Give an atlas in MNI space (MNI152, ICBM152), or register it first: leuko register.",
    )


def _about_space(image: Image, *, name: str) -> tuple[Finding, ...]:
    """A remark where the header claims a scanner's own space and the box is none of the MNI's."""
    header = image.source.header if image.source else b""
    if len(header) < NIFTI1_BYTES or tuple(sorted(image.grid.shape)) in MNI_BOXES:
        return ()
    order: Literal["little", "big"] = (
        "little" if int.from_bytes(header[:4], "little") == NIFTI1_BYTES else "big"
    )
    qform, sform = (int.from_bytes(header[at : at + 2], order) for at in (252, 254))
    if (sform or qform) != SCANNER_SPACE:
        return ()
    return (
        Finding(
            "atlas.space_unsure",
            Severity.WARNING,
            f"The header of {name} claims a scanner's own space, not MNI space; its labels lie in "
            "the brain of the template all the same, and it was taken as in MNI space.",
            "Was this atlas drawn on one person's scan? Then register it first: leuko register.",
        ),
    )


def _classic(
    placed: Image, names: Mapping[int, str], *, name: str
) -> tuple[Image, tuple[Finding, ...]]:
    """An atlas in the classic box; its own names say which side is left, where they can."""
    right_way = _left_is_left(placed, names)
    turned = ""
    if right_way is not None and right_way < LEAST_SEEN:
        placed = replace(placed, data=np.ascontiguousarray(placed.data[::-1]))
        turned = " Its regions named left lay on the right: the array was mirrored."
    elif right_way is None:
        turned = " No name tells left from right: check the sides."
    return placed, (
        Finding(
            "atlas.placed",
            Severity.WARNING,
            f"The header of {name} does not put it in MNI space; it has the box of the ICBM's "
            f"atlases (181 x 217 x 181 voxels of 1 mm) and was placed there.{turned}",
            "Look at the regions on a scan: --atlas-map.",
        ),
    )


def _inside(atlas: Image) -> float:
    """The share of labelled voxels that lie in the template's brain, or within 6 mm of it."""
    template = load_template()
    near = _near_brain()
    step = 2 if min(atlas.grid.shape) >= THINNED_FROM else 1
    labelled = np.argwhere(atlas.data[::step, ::step, ::step] != 0) * step
    voxels = np.rint(template.grid.to_voxel(atlas.grid.to_world(labelled))).astype(np.intp)
    held = ((voxels >= 0) & (voxels < near.shape)).all(axis=1)
    return float(near[tuple(voxels[held].T)].sum() / len(voxels)) if len(voxels) else 0.0


@lru_cache(maxsize=1)
def _near_brain() -> npt.NDArray[np.bool_]:
    template = load_template()
    brain = np.isin(template.tissues, (*BRAIN, Tissue.VENTRICLES, Tissue.CSF))
    steps = round(NEAR_MM / template.grid.spacing[0])
    return np.asarray(ndimage.binary_dilation(brain, iterations=steps))


def _left_is_left(atlas: Image, names: Mapping[int, str]) -> float | None:
    """The share of regions named left or right whose middle lies there; None without such names."""
    every = set(names.values())
    sided = {value: side_of(name, among=every) for value, name in names.items()}
    sided = {value: side for value, side in sided.items() if side}
    if len(set(sided.values())) < 2:
        return None
    thin = atlas.data[:, ::2, ::2].astype(np.int32)
    labelled = np.argwhere(thin > 0)
    found, rows = np.unique(thin[tuple(labelled.T)], return_inverse=True)
    across = atlas.grid.to_world(labelled * (1, 2, 2))[:, 0]
    middles = np.bincount(rows, weights=across) / np.bincount(rows)
    there = [
        (middle < 0) == (sided[value] == "left")
        for value, middle in zip(found.tolist(), middles.tolist(), strict=True)
        if value in sided
    ]
    return float(np.mean(there)) if there else None


def _about_sides(atlas: Image, names: Mapping[int, str], *, name: str) -> tuple[Finding, ...]:
    right_way = _left_is_left(atlas, names)
    if right_way is None or right_way == 1.0:
        return ()
    return (
        Finding(
            "atlas.sides",
            Severity.WARNING,
            f"Of the regions of {name} that are named left or right, {1 - right_way:.0%} lie on "
            "the other side.",
            "The atlas or its table has its sides mixed up; check it before you use its regions.",
        ),
    )
