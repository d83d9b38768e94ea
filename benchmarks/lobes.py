"""Lobes by planes against lobes drawn by others: an atlas, and parcellations of five heads.

    python benchmarks/lobes.py                       both tables
    python benchmarks/lobes.py --picture lobes.png   only the planes on the template, drawn

- FSL's structural atlas of the MNI (lobes, insula, caudate, putamen, thalamus, cerebellum; drawn on
  another version of the MNI's average brain), on the template's own tissues;
- MUSE's white matter by lobe in five heads of nichart (made on the T1, registered rigidly to the
  FLAIR; kept in benchmarks/out/lobes), where the head was laid on the template from its FLAIR.

The rules were set from landmarks, then compared. Two were changed after that: below z = 20 the
central sulcus no longer runs on forward (seen on the picture beside FSL's atlas), and the border of
temporal white matter behind y = -35 rose from z = 17 to 22 (after a look at Subj1 and Subj2; the
other three heads had no part in it).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures

from landing import SHARED, tissues
from leuko.anatomy.lobes import LOBE_VALUES, Lobe, lobe_map, lobes_at
from leuko.anatomy.template import load_template
from leuko.anatomy.template_landing import place_on_template
from leuko.formats.read import read_mask, read_scan
from leuko.image.image import to_canonical
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model
from leuko.registration.apply import apply_to_mask
from leuko.registration.register import Settings, register_images

Labels = npt.NDArray[np.uint8]

KEPT = Path(__file__).resolve().parent / "out" / "lobes"
SUBJECTS = ("Subj1", "Subj2", "Subj4", "Subj9", "Subj18")
FSL: Mapping[int, Lobe] = {
    1: Lobe.BASAL_GANGLIA,
    2: Lobe.INFRATENTORIAL,
    3: Lobe.FRONTAL,
    4: Lobe.INSULAR,
    5: Lobe.OCCIPITAL,
    6: Lobe.PARIETAL,
    7: Lobe.BASAL_GANGLIA,
    8: Lobe.TEMPORAL,
    9: Lobe.BASAL_GANGLIA,
}
MUSE: Mapping[int, Lobe] = {
    81: Lobe.FRONTAL,
    82: Lobe.FRONTAL,
    83: Lobe.OCCIPITAL,
    84: Lobe.OCCIPITAL,
    85: Lobe.PARIETAL,
    86: Lobe.PARIETAL,
    87: Lobe.TEMPORAL,
    88: Lobe.TEMPORAL,
}
COLOURS = {
    Lobe.FRONTAL: (230, 80, 80),
    Lobe.PARIETAL: (80, 200, 80),
    Lobe.TEMPORAL: (90, 120, 250),
    Lobe.OCCIPITAL: (240, 220, 80),
    Lobe.INSULAR: (240, 140, 240),
    Lobe.BASAL_GANGLIA: (100, 230, 230),
    Lobe.INFRATENTORIAL: (170, 120, 60),
}
SLICES = (
    (2, (20, 28, 34, 40, 46, 54, 62, 70)),
    (1, (26, 38, 48, 56, 62, 70, 80, 92)),
    (0, (70, 67, 64, 60, 57, 54, 51, 49)),
)
TILE, LARGER = 118, 2


def main() -> None:
    """Print both tables as Markdown, or draw the planes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    if given.picture:
        draw(given.picture)
        return
    print(f"| truth | voxels that agree | {' | '.join(Lobe)} |\n|{'---|' * (len(Lobe) + 2)}")
    ours, theirs = against_fsl(given.data)
    print(row("FSL's atlas on the template (Dice)", ours, theirs))
    found = [against_muse(given.data, subject) for subject in SUBJECTS]
    for subject, (mine, other) in zip(SUBJECTS, found, strict=True):
        print(row(f"MUSE, white matter of {subject}", mine, other))
    whole = [np.concatenate([pair[k] for pair in found]) for k in (0, 1)]
    print(row("MUSE, all five", whole[0], whole[1]))


def against_fsl(data: Path) -> tuple[Labels, Labels]:
    """Ours and FSL's on the template's voxels that both name."""
    template = load_template()
    oracle = read_mask(data / "atlases" / "mni_lobes_1mm.nii.gz")
    points = template.grid.to_world(np.argwhere(template.tissues > 0))
    voxels = np.rint(oracle.grid.to_voxel(points)).astype(int)
    inside = ((voxels >= 0) & (voxels < oracle.grid.shape)).all(axis=1)
    theirs = table(FSL)[np.asarray(oracle.data)[tuple(voxels[inside].T)].astype(int)]
    own = template.tissues[template.tissues > 0][inside]
    ours = lobes_at(points[inside])
    below = (own == Tissue.BRAINSTEM) | (own == Tissue.CEREBELLUM)
    ours = np.where(below, LOBE_VALUES[Lobe.INFRATENTORIAL], ours)
    ours = np.where(own == Tissue.DEEP_GREY, LOBE_VALUES[Lobe.BASAL_GANGLIA], ours)
    return ours[theirs > 0].astype(np.uint8), theirs[theirs > 0]


def against_muse(data: Path, subject: str) -> tuple[Labels, Labels]:
    """Ours and MUSE's in the white matter of one head that both name."""
    flair = read_scan(data / "wmh" / "nichart" / subject / "flair.nii.gz")
    config = SegmentConfig(policy="lenient")
    _, anatomy, grid = tissues(flair, config=config, model=load_model(config))
    placement = place_on_template(anatomy, spacing=grid.spacing)
    assert placement is not None
    ours = lobe_map(anatomy, from_template=placement.from_template, spacing=grid.spacing)
    theirs = table(MUSE)[muse_on_flair(data, subject)]
    both = (theirs > 0) & (anatomy == Tissue.WHITE_MATTER)
    return ours[both], theirs[both]


def muse_on_flair(data: Path, subject: str) -> Labels:
    """MUSE's labels on the FLAIR's voxels, canonical axes, by a rigid registration of the T1."""
    folder = data / "wmh" / "nichart" / subject
    path = KEPT / f"{subject}.npy"
    if not path.is_file():
        flair = read_scan(folder / "flair.nii.gz")
        fit = register_images(flair, read_scan(folder / "t1.nii.gz"), settings=Settings("rigid"))
        muse = read_mask(folder / "muse_auto.nii.gz")
        moved = apply_to_mask(muse, transform=fit.transform, onto=flair.grid)
        KEPT.mkdir(parents=True, exist_ok=True)
        np.save(path, to_canonical(moved.data.astype(np.uint8), flair.grid))
    kept: Labels = np.load(path)
    return kept


def table(lobes: Mapping[int, Lobe]) -> Labels:
    """Our values by theirs."""
    found = np.zeros(256, dtype=np.uint8)
    for value, lobe in lobes.items():
        found[value] = LOBE_VALUES[lobe]
    return found


def row(name: str, ours: Labels, theirs: Labels) -> str:
    """The share of voxels that agree, and Dice by lobe."""
    cells = []
    for value in LOBE_VALUES.values():
        one, other = ours == value, theirs == value
        together = int((one & other).sum())
        cells.append(f"{2 * together / (one.sum() + other.sum()):.2f}" if other.any() else "")
    return f"| {name} | {np.mean(ours == theirs):.3f} | {' | '.join(cells)} |"


def draw(path: Path) -> None:
    """The lobes on slices of the template: axial, coronal, right half sagittal."""
    template = load_template()
    places = template.grid.to_world(np.indices(template.grid.shape).transpose(1, 2, 3, 0))
    lobes = lobes_at(places)
    for tissue, lobe in (
        (Tissue.BRAINSTEM, Lobe.INFRATENTORIAL),
        (Tissue.CEREBELLUM, Lobe.INFRATENTORIAL),
        (Tissue.DEEP_GREY, Lobe.BASAL_GANGLIA),
    ):
        lobes[template.tissues == tissue] = LOBE_VALUES[lobe]
    shades = np.zeros((len(LOBE_VALUES) + 1, 3))
    for lobe, value in LOBE_VALUES.items():
        shades[value] = COLOURS[lobe]
    rows = []
    for axis, indices in SLICES:
        tiles = [
            tile(np.take(template.picture, k, axis), shades[np.take(lobes, k, axis)])
            for k in indices
        ]
        rows.append(np.concatenate(tiles, axis=1))
    sheet = Pictures.fromarray(np.concatenate(rows))
    sheet.resize((sheet.width * LARGER, sheet.height * LARGER)).save(path, optimize=True)


def tile(grey: Labels, colour: npt.NDArray[np.float64]) -> Labels:
    """One slice: colours over the brightness of the template, front or top up."""
    mixed = grey[..., None] * 0.55 + colour * 0.45 * (grey > 0)[..., None]
    turned = np.rot90(np.clip(mixed, 0, 255).astype(np.uint8))
    square = np.zeros((TILE, TILE, 3), dtype=np.uint8)
    square[: turned.shape[0], : turned.shape[1]] = turned[:TILE, :TILE]
    return square


if __name__ == "__main__":
    main()
