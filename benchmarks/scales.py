"""The visual scales on every real FLAIR here, and whether thick slices give the same grades.

    python benchmarks/scales.py                          tables
    python benchmarks/scales.py --only nichart           of one folder
    python benchmarks/scales.py --pictures FOLDER        and overlays to look at, a PNG a scan

- every FLAIR below shared/data/wmh: Fazekas (periventricular, deep) with the numbers behind them,
  the grade by volume, ARWMC-like and Scheltens-like scores, and what they cost in ms;
- scans of 1 and 2 mm: mask and anatomy in slices of 3 or 4 and 6 mm, graded again (the voxels that
  hold most lesion, as many as keep its volume; of tissues the one that holds most).
- tabriz: the grades of the manual masks (lesions with caps and rims, ventricles) beside ours.

No reader graded these scans: the tables say what the rules give, not how right they are.
Prints Markdown and writes it to benchmarks/out/scales/NAME/scores.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture

from leuko.anatomy.periventricular import lateral_ventricles
from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.image.resample import resample
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.segment import segment
from leuko.preparation.prepare import slice_axis
from leuko.quantify.lesions import label_lesions, measure_lesions
from leuko.quantify.scales import Grade, Scales, measure_scales

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out"
THICKER = (3.0, 6.0)
FINE_MM = 2.1
REPEATS = 3
COLUMNS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """A scan, its mask and tissues in canonical axes, and its scales."""

    name: str
    grid: Grid
    image: npt.NDArray[np.generic]
    mask: npt.NDArray[np.bool_]
    anatomy: npt.NDArray[np.uint8]
    scales: Scales
    milliseconds: float

    @property
    def volume_ml(self) -> float:
        """Of the mask."""
        return float(self.mask.sum() * self.grid.voxel_mm3 / 1000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; see the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="scans whose path holds this")
    parser.add_argument("--pictures", type=Path, help="a folder for overlays")
    parser.add_argument("--name", default="packaged", help="of the folder of the results")
    asked = parser.parse_args(arguments)
    files = [file for file in scans() if asked.only in str(file)]
    if not files:
        sys.stderr.write("There is no scan to grade.\n")
        return 3
    model = load_model(SegmentConfig())
    table, thick, manual = [HEAD, RULE], [THICK_HEAD, THICK_RULE], [MANUAL_HEAD, MANUAL_RULE]
    for file in files:
        one = graded(file, model=model)
        table.append(row(one))
        if max(one.grid.spacing) <= FINE_MM:
            thick.append(thick_row(one))
        if (file.parent / "caps_and_rims.nii.gz").is_file():
            manual.append(manual_row(one, file.parent))
        if asked.pictures:
            asked.pictures.mkdir(parents=True, exist_ok=True)
            name = f"{one.name.replace('/', '_')}.png"
            Picture.fromarray(overlay(one)).save(asked.pictures / name)
    text = "\n".join([*table, "", *thick, "", *manual]) + "\n"
    folder = OUT / "scales" / asked.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.md").write_text(text)
    sys.stdout.write(text)
    return 0


def scans() -> list[Path]:
    """Every FLAIR of white matter lesions here."""
    found = sorted((SHARED / "wmh").rglob("*.nii.gz"))
    return [file for file in found if "flair" in file.name or file.parent.name == "unlabelled"]


def graded(file: Path, *, model: Model) -> Graded:
    """A scan with all its scales; the time is of those that need no lobes."""
    image = read_scan(file)
    result = segment(image, config=SegmentConfig(lobes=True), model=model)
    assert result.scales is not None
    assert result.anatomy is not None
    mask = np.asarray(to_canonical(result.mask.data, image.grid), dtype=np.bool_)
    anatomy = tissues(np.asarray(to_canonical(result.anatomy.data, image.grid), dtype=np.uint8))
    name = str(file.relative_to(SHARED / "wmh")).removesuffix(".nii.gz").removesuffix("/flair")
    took = min(regraded(mask, anatomy, image.grid.canonical())[1] for _ in range(REPEATS))
    return Graded(
        name,
        image.grid.canonical(),
        np.asarray(to_canonical(image.data, image.grid)),
        mask,
        anatomy,
        result.scales,
        1000 * took,
    )


def tissues(written: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The tissues of a label map with sides."""
    return np.asarray(written % 10, dtype=np.uint8)


def regraded(
    mask: npt.NDArray[np.bool_], anatomy: npt.NDArray[np.uint8], grid: Grid
) -> tuple[Scales, float]:
    """The scales of a mask, and how long that took the processor."""
    labels, _ = label_lesions(mask)
    table = measure_lesions(labels, grid=grid, anatomy=anatomy)
    ventricles = lateral_ventricles(anatomy, spacing=grid.spacing)
    volume = float(mask.sum() * grid.voxel_mm3 / 1000)
    start = time.process_time()
    scales = measure_scales(
        labels,
        table=table,
        ventricles=ventricles,
        spacing=grid.spacing,
        across=slice_axis(grid.spacing),
        volume_ml=volume,
    )
    return scales, time.process_time() - start


HEAD = (
    "| scan | slices mm | ml | periventricular (reach mm) | deep (longest, bridged, 5 mm wide, "
    "10 mm wide: mm) | by volume | ARWMC-like | Scheltens-like | ms |"
)
RULE = "|---|---:|---:|---|---|---:|---:|---|---:|"
THICK_HEAD = "| scan | as it is | in slices of 3 mm (4 mm of 2 mm scans) | 6 mm |"
THICK_RULE = "|---|---|---|---|"
MANUAL_HEAD = "| scan | ours | manual masks |"
MANUAL_RULE = "|---|---|---|"


def row(one: Graded) -> str:
    """A line of the first table."""
    scales = one.scales
    reach = measured(scales.fazekas_periventricular)["reach_mm"]
    lengths = ", ".join(f"{value:.0f}" for value in measured(scales.fazekas_deep).values())
    both = (scales.scheltens_periventricular, scales.scheltens_deep)
    return (
        f"| {one.name} | {max(one.grid.spacing):.1f} | {one.volume_ml:.1f} "
        f"| {said(scales.fazekas_periventricular)} ({reach:.1f}) "
        f"| {said(scales.fazekas_deep)} ({lengths}) | {said(scales.by_volume)} "
        f"| {said(scales.arwmc)} | {' + '.join(map(said, both))} | {one.milliseconds:.0f} |"
    )


def measured(grade: Grade) -> dict[str, float]:
    """What a grade was measured from."""
    return {number.name: number.value for number in grade.measured}


def said(grade: Grade) -> str:
    """The grade, or a dash."""
    return "-" if grade.grade is None else str(grade.grade)


def thick_row(one: Graded) -> str:
    """The Fazekas grades of one scan in thicker and thicker slices."""
    told = [told_of(one.scales)]
    for thickness in THICKER:
        onto = in_slices(one.grid, thickness)
        anatomy = resample(Image(one.anatomy, one.grid), onto=onto, kernel="label")
        values = np.asarray(anatomy.data, dtype=np.uint8)
        told.append(told_of(regraded(sliced(one.mask, one.grid, onto), values, onto)[0]))
    return f"| {one.name} | {' | '.join(told)} |"


def manual_row(one: Graded, folder: Path) -> str:
    """The Fazekas grades of a scan beside those of its manual masks."""
    lesions, caps, ventricles = (
        np.asarray(to_canonical(mask.data, mask.grid), dtype=np.bool_)
        for mask in (
            read_mask(folder / f"{name}.nii.gz")
            for name in ("lesions", "caps_and_rims", "ventricles")
        )
    )
    anatomy = np.where(ventricles, Tissue.VENTRICLES, one.anatomy).astype(np.uint8)
    anatomy[(one.anatomy == Tissue.VENTRICLES) & ~ventricles] = Tissue.WHITE_MATTER
    scales, _ = regraded((lesions | caps) & ~ventricles, anatomy, one.grid)
    return f"| {one.name} | {told_of(one.scales)} | {told_of(scales)} |"


def told_of(scales: Scales) -> str:
    """Both Fazekas grades."""
    return f"{said(scales.fazekas_periventricular)} + {said(scales.fazekas_deep)}"


def in_slices(grid: Grid, thickness: float) -> Grid:
    """The grid in axial slices of that thickness."""
    factor = round(thickness / grid.spacing[2])
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, 2] * (factor - 1) / 2
    affine[:3, 2] *= factor
    x, y, z = grid.shape
    return Grid((x, y, z // factor), affine)


def sliced(mask: npt.NDArray[np.bool_], grid: Grid, onto: Grid) -> npt.NDArray[np.bool_]:
    """The mask on a coarser grid: the voxels that hold most of it, as many as keep its volume."""
    share = np.asarray(resample(Image(mask.astype(np.float32), grid), onto=onto).data)
    wanted = round(mask.sum() * grid.voxel_mm3 / onto.voxel_mm3)
    least = np.sort(share, axis=None)[-max(wanted, 1)]
    with_ties, without = (share >= least) & (share > 0), share > least
    nearer = abs(int(with_ties.sum()) - wanted) <= abs(int(without.sum()) - wanted)
    return np.asarray(with_ties if nearer else without)


def overlay(one: Graded) -> npt.NDArray[np.uint8]:
    """Slices through the lesions: bare, and with lesions (red) and ventricles (blue) outlined."""
    held = np.flatnonzero(one.mask.any(axis=(0, 1)))
    if not len(held):
        held = np.array([one.mask.shape[2] // 2])
    chosen = np.unique(np.linspace(held[0], held[-1], 2 * COLUMNS).astype(int))
    values = one.image.astype(np.float64)
    top = float(np.percentile(values[values > 0], 99.5))
    tiles: list[npt.NDArray[np.uint8]] = []
    for index in chosen:
        grey = np.clip(values[..., index] / top, 0, 1) * 255
        bare = np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)
        drawn = bare.copy()
        for where, colour in (
            (one.anatomy[..., index] == Tissue.VENTRICLES, (70, 160, 255)),
            (one.mask[..., index], (255, 70, 60)),
        ):
            drawn[edge(where)] = colour
        tiles += [bare, drawn]
    return sheet(tiles)


def edge(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The pixels of a mask that have a neighbour outside it."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return mask & ~inner


def sheet(tiles: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Tiles in rows, front up and right on the left."""
    turned = [tile.transpose(1, 0, 2)[::-1, ::-1] for tile in tiles]
    while len(turned) % COLUMNS:
        turned.append(np.zeros_like(turned[0]))
    rows = [np.concatenate(turned[n : n + COLUMNS], axis=1) for n in range(0, len(turned), COLUMNS)]
    return np.concatenate(rows, axis=0)


if __name__ == "__main__":
    raise SystemExit(main())
