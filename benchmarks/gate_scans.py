"""The scans that gate.py looks at: good FLAIRs, FLAIRs of tumours, and what is no FLAIR."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from leuko.formats.read import read, read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image

__all__ = ["Scan", "flairs", "glioma_truths", "others", "tumours"]

CORRUPTED = {"tabriz/104252", "tabriz/105755", "nichart/sample1", "nichart/Subj4", "long/visit1",
             "young", "ljubljana/26", "unlabelled/wholehead_1mm"}  # fmt: skip
# The slices of a glioma patient come as pictures without geometry; these are usual.
PICTURE_MM, PICTURE_SLICE_MM = 0.94, 6.0


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan: its name, whose it is (scans of one source share a scanner or a project)."""

    name: str
    source: str
    load: Callable[[], Image]

    @property
    def corrupted(self) -> bool:
        """Whether copies of it are corrupted; one or two of each source are."""
        return self.name in CORRUPTED


def flairs(data: Path) -> Iterator[Scan]:
    """FLAIRs without known faults: multiple sclerosis, old and young heads."""
    for folder, source in (("wmh/tabriz", "tabriz"), ("wmh/ljubljana", "ljubljana")):
        for file in sorted((data / folder).glob("*/flair.nii.gz")):
            yield _file(f"{source}/{file.parent.name}", source, file)
    for file in sorted((data / "wmh/nichart").glob("*/flair.nii.gz")):
        own = "sample1" if file.parent.name == "sample1" else "nichart"
        yield _file(f"nichart/{file.parent.name}", own, file)
    for file in sorted((data / "wmh/ljubljana_long/patient01").glob("visit*_flair.nii.gz")):
        yield _file(f"long/{file.name[:6]}", "long", file)
    for file in sorted((data / "wmh/unlabelled").glob("*.nii.gz")):
        name = file.name.removesuffix(".nii.gz")
        yield _file(f"unlabelled/{name}", "long" if "ljubljana" in name else name, file)
    yield _file("young", "young", data / "contrasts/thick_flair_young/flair.nii.gz")


def tumours(data: Path) -> Iterator[Scan]:
    """FLAIRs of gliomas: one after treatment, twelve as slices (the source is the hospital)."""
    study = data / "dicom/study/brain_tumor_progression_PGBM-003"
    yield _file("glioma/PGBM-003", "pgbm", study / "truth_flair.nii.gz")
    pictures = data / "tasks/lgg/images"
    patients = sorted({re.sub(r"_\d+$", "", file.stem) for file in pictures.glob("*.png")})
    for patient in patients:
        site = patient.split("_")[1]
        yield Scan(f"glioma/{patient[5:12]}", f"lgg-{site}", partial(_slices, pictures, patient))


def glioma_truths(data: Path) -> Iterator[tuple[str, Image, Image]]:
    """Name, FLAIR and manual mask of the gliomas that come as slices."""
    for scan in tumours(data):
        if scan.source.startswith("lgg"):
            masks = data / "tasks/lgg/masks"
            (patient,) = {
                re.sub(r"_\d+$", "", file.stem)
                for file in masks.glob(f"TCGA_{scan.name.removeprefix('glioma/')}_*.png")
            }
            yield scan.name, scan.load(), _slices(masks, patient)


def others(data: Path) -> Iterator[Scan]:
    """T1, proton density, echo planar, diffusion, perfusion, phase, angiography, CT, templates."""
    named = ("contrasts/t1_head", "contrasts/dwi", "contrasts/mra", "tasks/ct/torso_ct",
             "atlases/mni152_t1_2mm", "atlases/mni152_09a_t1_brain_1mm")  # fmt: skip
    for name in named:
        yield _file(name.split("/")[-1], "other", data / f"{name}.nii.gz")
    for file in sorted((data / "wmh").glob("*/*/t1.nii.gz")):
        yield _file(f"t1/{file.parent.parent.name}/{file.parent.name}", "other", file)
    for file in sorted((data / "dicom/conversion").glob("*/truth*.nii.gz")):
        yield _file(f"{file.parent.name}{file.name[5:-7]}", "other", file)


def _file(name: str, source: str, file: Path) -> Scan:
    return Scan(name, source, partial(read_scan, file))


def _slices(folder: Path, patient: str) -> Image:
    """Pictures in order from below, looked at from the feet, as an image with canonical axes."""
    files = sorted(
        folder.glob(f"{patient}_*.png"), key=lambda file: int(file.stem.rsplit("_", 1)[1])
    )
    slices = [read(file).data[::-1, ::-1, 0] for file in files]
    data = np.ascontiguousarray(np.stack(slices, axis=2), dtype=np.float32)
    affine = np.diag([PICTURE_MM, PICTURE_MM, PICTURE_SLICE_MM, 1.0])
    return Image(data, Grid((data.shape[0], data.shape[1], data.shape[2]), affine))
