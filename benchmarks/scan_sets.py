"""The sets of real scans that accuracy.py scores on, and the peers' masks beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leuko.formats.read import read_mask
from leuko.image.image import Image

__all__ = ["SETS", "Case", "Peer", "ScanSet", "find_cases", "find_sets"]


@dataclass(frozen=True, slots=True)
class Case:
    """One scan: its name, its FLAIR and the folder that holds its masks."""

    name: str
    flair: Path

    @property
    def folder(self) -> Path:
        """Where the scan's masks lie."""
        return self.flair.parent


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool's masks of a set: `CASE/peers/STEM.nii.gz`."""

    name: str
    stem: str

    def mask(self, case: Case) -> Image:
        """The tool's mask of a case."""
        return read_mask(case.folder / "peers" / f"{self.stem}.nii.gz")


@dataclass(frozen=True, slots=True)
class ScanSet:
    """Cases scored under one definition against one truth; `truth` None means free of lesions.

    `definition` is vascular, ms, or ventricles (the network's anatomy). `pattern` finds the FLAIR
    files below the data folder.
    """

    key: str
    group: str
    definition: str
    pattern: str
    title: str
    truth: Callable[[Case], Image] | None
    peers: tuple[Peer, ...] = ()


def _mask(name: str) -> Callable[[Case], Image]:
    def load(case: Case) -> Image:
        return read_mask(case.folder / f"{name}.nii.gz")

    return load


def _union(*names: str) -> Callable[[Case], Image]:
    def load(case: Case) -> Image:
        masks = [_mask(name)(case) for name in names]
        whole = np.any([mask.data == 1 for mask in masks], axis=0)
        return masks[0].with_data(whole.astype(np.uint8))

    return load


_TOOLS = (
    Peer("LST-LPA", "lpa"),
    Peer("WMH-SynthSeg", "wmh_synthseg"),
    Peer("BIANCA", "bianca_all"),
    Peer("LST-LGA", "lga"),
)

_ALL = (
    ScanSet(
        key="tabriz-union",
        group="tabriz",
        definition="vascular",
        pattern="wmh/tabriz/*/flair.nii.gz",
        title="lesions with caps and rims, manual (MS, 1.5 T, 6.4-8 mm slices)",
        truth=_union("lesions", "caps_and_rims"),
        peers=(*_TOOLS, Peer("the scanner's own U-Net", "tabriz_unet_all")),
    ),
    ScanSet(
        key="tabriz-lesions",
        group="tabriz",
        definition="ms",
        pattern="wmh/tabriz/*/flair.nii.gz",
        title="lesions, manual (MS, 1.5 T, 6.4-8 mm slices)",
        truth=_mask("lesions"),
        peers=(*_TOOLS, Peer("the scanner's own U-Net", "tabriz_unet_ab")),
    ),
    ScanSet(
        key="tabriz-ventricles",
        group="tabriz",
        definition="ventricles",
        pattern="wmh/tabriz/*/flair.nii.gz",
        title="ventricles, manual",
        truth=_mask("ventricles"),
        peers=(Peer("SynthSeg", "ventricles_synthseg"),),
    ),
    ScanSet(
        key="ljubljana",
        group="ljubljana",
        definition="ms",
        pattern="wmh/ljubljana/*/flair.nii.gz",
        title="lesions, manual consensus of three (MS, 3 T, 1 mm, brain-extracted)",
        truth=_mask("lesions"),
    ),
    ScanSet(
        key="nichart",
        group="nichart",
        definition="vascular",
        pattern="wmh/nichart/Subj*/flair.nii.gz",
        title="agreement with an automatic mask (aged, 2 mm)",
        truth=_mask("wmh_auto"),
    ),
    ScanSet(
        key="lesion-free",
        group="lesion-free",
        definition="vascular",
        pattern="wmh/nichart/sample1/flair.nii.gz|contrasts/thick_flair_young/flair.nii.gz",
        title="healthy heads: every voxel is a false positive (5-5.5 mm slices)",
        truth=None,
    ),
)

SETS = {entry.key: entry for entry in _ALL}


def find_sets(names: str, *, definition: str = "both") -> list[ScanSet]:
    """The sets named, by key or group, separated by commas; `all` means all of them.

    `definition` keeps those of one definition only.
    """
    wanted = [name.strip() for name in names.split(",")]
    unknown = {*wanted} - {"all", *SETS} - {entry.group for entry in _ALL}
    if unknown:
        raise ValueError(f"no set {', '.join(sorted(unknown))}; choose from {', '.join(SETS)}")
    chosen = [entry for entry in _ALL if {"all", entry.key, entry.group} & {*wanted}]
    return [entry for entry in chosen if definition in ("both", entry.definition)]


def find_cases(data: Path, entry: ScanSet) -> list[Case]:
    """The cases of a set below the data folder, in order of their names."""
    flairs = [path for part in entry.pattern.split("|") for path in data.glob(part)]
    return sorted((Case(path.parent.name, path) for path in flairs), key=lambda case: case.name)
