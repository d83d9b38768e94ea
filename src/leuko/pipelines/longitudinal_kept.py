"""Visits that an earlier comparison in the same folder has segmented already, used again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leuko.anatomy.tissues import tissues_of
from leuko.formats.read import read
from leuko.image.image import Image, to_canonical
from leuko.inference.predict import Prediction
from leuko.pipelines.case import Case
from leuko.pipelines.cohort_table import Place
from leuko.pipelines.cohort_work import kept
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.pipelines.numbers import result_of
from leuko.pipelines.observe import Observation
from leuko.pipelines.our_files import BETWEEN, STATISTICS
from leuko.pipelines.provenance import Provenance
from leuko.pipelines.result import Result
from leuko.pipelines.segment import expected
from leuko.progress import Journal

__all__ = ["KeptVisit", "kept_visit"]

IMAGES = ("wmh", "lesions", "anatomy", "probability")


@dataclass(frozen=True, slots=True)
class KeptVisit:
    """The folder of a visit that need not be segmented again, and how it was made."""

    folder: Path
    provenance: Provenance

    def copy(self, into: Path) -> None:
        """Put its files into a new folder."""
        shutil.copytree(self.folder, into)

    def result(self, scan: Image, *, config: SegmentConfig) -> Result:
        """What was found in `scan`, measured from the files; nothing is looked for again."""
        mask, _, anatomy, probability = (read(self.folder / _file(name)).data for name in IMAGES)
        grid = scan.grid
        tissues = tissues_of(to_canonical(anatomy.astype(np.uint8), grid))
        likely = np.ascontiguousarray(to_canonical(probability, grid), dtype=np.float32)
        seen = Observation(
            data=np.ascontiguousarray(to_canonical(scan.data, grid)),
            grid=grid.canonical(),
            prediction=Prediction(likely, np.zeros_like(likely), np.ascontiguousarray(tissues)),
            findings=(),
        )
        return result_of(
            np.ascontiguousarray(to_canonical(mask, grid) != 0),
            image=scan,
            seen=seen,
            config=config,
            provenance=self.provenance,
            journal=Journal(),
            probability=likely,
        )


def kept_visit(
    out: Path, case: Case, *, config: SegmentConfig, model: Model, series: str = ""
) -> KeptVisit | None:
    """A visit in `out` of the same version, weights, parameters and content of inputs, or None.

    Which visit it was does not matter: the last one of two may be the second of three.
    """
    there = list(_visits(out))
    if not there:
        return None
    wanted = expected(case, config=config, model=model, series=series)
    if wanted is None:
        return None
    for folder in there:
        record = folder / STATISTICS
        place = Place(record, folder / "report.html", folder / "preview.png")
        if (found := kept(place, wanted=wanted)) and not _has_newer_t1(case, record, config):
            return KeptVisit(folder, found.provenance)
    return None


def _visits(out: Path) -> Iterator[Path]:
    """Folders of visits in OUT that hold all that a comparison needs."""
    for folder in (out / "baseline", out / "followup", *sorted((out / BETWEEN).glob("visit*"))):
        if all((folder / name).is_file() for name in (STATISTICS, *map(_file, IMAGES))):
            yield folder


def _file(name: str) -> str:
    return f"{name}.nii.gz"


def _has_newer_t1(case: Case, record: Path, config: SegmentConfig) -> bool:
    """The record holds the hash of a T1 only where the network saw it."""
    if case.t1 is None or not (config.t1_space or config.fill):
        return False
    return case.t1.stat().st_mtime > record.stat().st_mtime
