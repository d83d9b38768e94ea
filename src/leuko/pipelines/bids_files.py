"""The files of a result as BIDS derivatives: their names, and the sidecars that say what they are.

Source: Brain Imaging Data Structure Specification 1.10, 'Derivatives': masks, segmentations and
their lookup tables; `bids-validator` judges them in our tests. What the specification has no name
for (the report, the record) is called `_desc-wmh_...` and listed in `.bidsignore`; a transform is
named as fMRIPrep and the proposal BEP 14 name it: from where to where it brings an image.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from leuko.anatomy.template import SPACE
from leuko.anatomy.tissues import LABEL_NAMES
from leuko.pipelines.bids_names import BidsName
from leuko.pipelines.our_files import STATISTICS

__all__ = ["IGNORED", "RAW", "BidsFile", "asked_files", "bids_files", "failure_of", "record_of"]

RAW = "raw"  # what dataset_description.json calls the data set that the derivatives are of
IGNORED = ("*_desc-wmh_*", "*_xfm.h5", "cohort.html", "cohort.tsv")
"""The content of .bidsignore."""

FROM_MNI = re.compile(r"mni_to_scan\.(?P<ending>.+)")
IN_SPACE = re.compile(r"wmh_space-(?P<space>[A-Za-z0-9]+)\.nii\.gz")
LESION_COLUMNS = MappingProxyType(
    {
        "volume_mm3": ("Volume.", "mm^3"),
        "voxels": ("Voxels.", ""),
        "size_class": (
            "small: below 10 mm3, medium: 10 to below 100 mm3, large: from 100 mm3.",
            "",
        ),
        "x_mm": ("Centre of mass to the right, in the scan's own space.", "mm"),
        "y_mm": ("Centre of mass to the front.", "mm"),
        "z_mm": ("Centre of mass upwards.", "mm"),
        "region": ("Region of the brain.", ""),
        "side": ("Side that holds most of its voxels.", ""),
        "distance_to_ventricles_mm": ("Distance of its nearest voxel to the ventricles.", "mm"),
        "mean_z": ("Mean brightness in robust standard deviations of normal white matter.", ""),
        "confidence": ("How sure the network is of the lesion.", ""),
    }
)


@dataclass(frozen=True, slots=True)
class BidsFile:
    """A file to put in place: `source` is moved, or `content` is written."""

    name: str
    source: Path | None = None
    content: bytes = b""


def record_of(name: BidsName) -> str:
    """The file name of a scan's stats.json."""
    return f"{name.stem()}_desc-wmh_stats.json"


def failure_of(name: BidsName) -> str:
    """The file name of why a scan failed."""
    return f"{name.stem()}_desc-wmh_failure.json"


def asked_files(folder: Path, *, name: BidsName) -> set[str]:
    """Names in `folder` of files of a scan that are only written where they are asked for."""
    asked = (
        "_desc-wmh_*",
        f"_space-{SPACE}_label-WMH_mask.*",
        "_space-T1w_label-WMH_mask.*",
        f"_from-{name.suffix}_to-{SPACE}_mode-image_xfm.h5",
    )
    # (Names of BIDS hold no characters that mean something to a pattern.)
    found = {path.name for end in asked for path in folder.glob(f"{name.stem()}{end}")}
    return found - {failure_of(name)}


def bids_files(folder: Path, *, name: BidsName, source: str) -> Iterator[BidsFile]:
    """The files of a result in `folder` under their BIDS names, sidecars among them, record last.

    `name` is that of the FLAIR, `source` its path in the data set.
    """
    about = {"Sources": [f"bids:{RAW}:{source}"], "SpatialReference": f"bids:{RAW}:{source}"}
    for path in sorted(folder.iterdir()):
        if path.name != STATISTICS:
            yield from _named(path, name=name, about=about)
    yield BidsFile(record_of(name), folder / STATISTICS)


def _named(path: Path, *, name: BidsName, about: Mapping[str, object]) -> Iterator[BidsFile]:
    lesion = {"Type": "Lesion"}
    match path.name:
        case "wmh.nii.gz":
            said = "White matter hyperintensities: 1 inside, 0 elsewhere."
            yield from _image(path, name.stem("mask", label="WMH"), {**lesion, **about}, said)
        case "probability.nii.gz":
            said = "Probability of a white matter hyperintensity, 0 to 1."
            yield from _image(path, name.stem("probseg", label="WMH"), {**lesion, **about}, said)
        case "lesions.nii.gz":
            said = "A value for each white matter hyperintensity, the largest 1."
            columns = _columns(path.with_name("lesions.tsv"))
            yield from _image(
                path, name.stem("dseg", seg="lesions"), {**about, "Manual": False, **columns}, said
            )
        case "lesions.tsv":
            yield BidsFile(f"{name.stem('dseg', seg='lesions')}.tsv", content=_lesions(path))
        case "anatomy.nii.gz":
            said = "Tissues, left and right apart, as the network found them on the FLAIR."
            stem = name.stem("dseg", seg="anatomy")
            yield from _image(path, stem, {**about, "Manual": False}, said)
            yield BidsFile(f"{stem}.tsv", content=_anatomy())
        case "wmh_in_t1.nii.gz":
            known = {**lesion, "Sources": about["Sources"]}
            said = "White matter hyperintensities on the grid of the T1 of the same head."
            yield from _image(path, name.stem("mask", space="T1w", label="WMH"), known, said)
        case _:
            if found := FROM_MNI.fullmatch(path.name):
                if found["ending"] == "h5":  # the others say the same, and name each other
                    way = f"from-{name.suffix}_to-{SPACE}_mode-image_xfm.h5"
                    yield BidsFile(f"{name.stem()}_{way}", path)
            elif found := IN_SPACE.fullmatch(path.name):
                space = found["space"]
                said = f"White matter hyperintensities, resampled to {space}."
                known = {**lesion, "Sources": about["Sources"], "SpatialReference": space}
                yield from _image(path, name.stem("mask", space=space, label="WMH"), known, said)
            else:
                yield BidsFile(f"{name.stem()}_desc-wmh_{path.name}", path)


def _image(path: Path, stem: str, about: Mapping[str, object], said: str) -> Iterator[BidsFile]:
    yield BidsFile(f"{stem}.nii.gz", path)
    yield BidsFile(f"{stem}.json", content=_json({"Description": said, **about}))


def _columns(table: Path) -> dict[str, object]:
    """The columns of the lookup table, described in its sidecar."""
    heads = table.read_text(encoding="utf-8").partition("\n")[0].split("\t")
    found: dict[str, object] = {}
    for head in heads[1:]:  # index and name are the specification's own
        said, unit = LESION_COLUMNS.get(head, (head.replace("_", " ").capitalize() + ".", ""))
        found[head] = {"Description": said, **({"Units": unit} if unit else {})}
    return found


def _lesions(table: Path) -> bytes:
    """lesions.tsv as a lookup table: `label` is `index`, and every lesion has a name."""
    rows = csv.reader(table.read_text(encoding="utf-8").splitlines(), dialect="excel-tab")
    heads = next(rows)
    return _tsv(
        [["index", "name", *heads[1:]], *([row[0], f"lesion {row[0]}", *row[1:]] for row in rows)]
    )


def _anatomy() -> bytes:
    return _tsv([["index", "name"], *([str(value), name] for value, name in LABEL_NAMES.items())])


def _tsv(rows: list[list[str]]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines, dialect="excel-tab", lineterminator="\n").writerows(rows)
    return lines.getvalue().encode()


def _json(content: Mapping[str, object]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
