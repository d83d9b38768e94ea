"""Jobs for the tests of cohorts; worker processes import them from here."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brightness_network import BrightnessEngine, make_card

from leuko.errors import ReadError
from leuko.pipelines.cases import Case
from leuko.pipelines.cohort_table import Place
from leuko.pipelines.cohort_work import kept
from leuko.pipelines.model import Model
from leuko.pipelines.outputs import out_folder
from leuko.pipelines.provenance import Provenance
from leuko.pipelines.statistics import SizeClass, SizeClasses, Statistics, encode

PROVENANCE = Provenance(
    version="1.2.3",
    weights_sha256="a" * 64,
    input_name="scan.nii.gz",
    input_sha256="b" * 64,
    time="2026-01-01T00:00:00+00:00",
    parameters={"definition": "vascular"},
)


def numbers(volume_ml: float = 7.35, **changed: Any) -> Statistics:
    """A stats.json with little in it; what is not said is null."""
    values: dict[str, Any] = {
        "volume_ml": volume_ml, "volume_mm3": volume_ml * 1000, "volume_voxels": 7350,
        "lesion_count": 3, "lesion_count_6_connected": 4,
        "size_classes": SizeClasses(*(SizeClass(1, 1 / 3, volume_ml / 3) for _ in range(3))),
        "left_ml": 4.0, "right_ml": 3.0, "midline_ml": 0.35, "white_matter_percent": 1.5,
        "brain_percent": 0.6, "icv_percent": None, "most_affected_slice": None, "slice_axis": 2,
        "largest_lesion_mm3": 100.0, "regions_ml": {"deep": 1.0}, "white_matter_ml": 490.0,
        "brain_ml": 1100.0, "ventricles_ml": 30.0, "icv_ml": None, "findings": [], "steps": [],
        "provenance": PROVENANCE, "definitions": {},
    }  # fmt: skip
    unknown = dict.fromkeys(Statistics.__struct_fields__)
    return Statistics(**(unknown | values | changed))


def place(folder: Path) -> Place:
    return Place(folder / "stats.json", folder / "report.html", folder / "preview.png")


@dataclass(frozen=True)
class Named:
    """A job whose cases do what their names say: `die` kills its process, `fail`, `slow`.

    `die_once` does so at its first try only. Every other case writes its stats.json.
    """

    out: Path

    def load(self, *, threads: int | None = None) -> Model:
        return Model.of(make_card(), BrightnessEngine())

    def keep(self, case: Case, *, model: Model) -> Statistics | None:
        return kept(self.place(case), wanted=PROVENANCE)

    def run(self, case: Case, *, model: Model) -> Statistics:
        with out_folder(self.out / case.name) as folder:
            (folder / "stats.json").write_bytes(encode(numbers()))
            if case.name.startswith("die"):
                tried = self.out / f".tried-{case.name}"
                first = not tried.exists()
                tried.touch()
                if first or not case.name.startswith("die_once"):
                    os.kill(os.getpid(), signal.SIGKILL)
            if case.name.startswith("fail"):
                raise ReadError("Broken.")
            if case.name.startswith("slow"):
                (self.out / ".began").touch()
                time.sleep(60)
        return numbers()

    def place(self, case: Case) -> Place:
        return place(self.out / case.name)


@dataclass(frozen=True)
class Weightless(Named):
    """A job whose model cannot be loaded."""

    def load(self, *, threads: int | None = None) -> Model:
        raise ReadError("The weights are missing.")
