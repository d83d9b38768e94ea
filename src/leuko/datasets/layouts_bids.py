"""The layout `bids`: scans in sub-*/[ses-*/]anat, masks among them or in derivatives."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leuko.datasets.files import image_paths, stem
from leuko.datasets.items import Item
from leuko.datasets.layouts_source import DataSource, folder_at, required, some
from leuko.errors import UsageError

__all__ = ["read_bids"]

MASKS = ("mask", "dseg")
NOT_SCANS = (*MASKS, "probseg")
DERIVATIVES = "derivatives"
# What names agree in, if both say it: channels of one session, a mask and its scan.
OF_SESSION = ("run",)
OF_SCAN = ("run", "acq", "echo")


@dataclass(frozen=True, slots=True)
class _Scan:
    """A file of the data set and what its name says."""

    path: Path
    entities: dict[str, str]
    suffix: str

    def says(self, part: str) -> bool:
        """Whether all words of `part` (`FLAIR`, `label-lesion_mask`) are in the name."""
        words = {f"{key}-{value}" for key, value in self.entities.items()} | {self.suffix}
        return words.issuperset(part.split("_"))

    def fits(self, other: _Scan, keys: Sequence[str]) -> bool:
        """Whether the other file is of the same session and, where both say them, of one `keys`."""
        mine, its = self.entities, other.entities
        same_visit = mine["sub"] == its["sub"] and mine.get("ses") == its.get("ses")
        return same_visit and all(mine[key] == its[key] for key in keys if key in mine.keys() & its)


def read_bids(source: DataSource, *, base: Path) -> list[Item]:
    """An item for each scan of the first channel.

    `images` and `masks` choose files by parts of their names; without `images` the scans need one
    suffix, without `masks` every _mask and _dseg counts. The site is that of `site`, else the
    column `site` of participants.tsv.
    """
    root = folder_at(base, required(source, "root"))
    scans, masks = _files(root)
    wanted = source.channels() or _only_suffix(scans, root=root)
    firsts = [scan for scan in scans if scan.says(wanted[0])]
    if not firsts:
        raise UsageError(
            f"No scan in {root.name} is called {wanted[0]}; there are {_suffixes(scans)}.",
            hint="images: FLAIR, or [FLAIR, T1w] for two channels.",
        )
    truth = [
        mask
        for mask in masks
        if (mask.says(source.masks) if source.masks else mask.suffix in MASKS)
    ]
    if source.masks and not truth:
        raise UsageError(
            f"No mask in {root.name} is called {source.masks}; there are "
            f"{some([mask.path.name for mask in masks]) or 'none'}.",
            hint="masks: label-lesion_mask, for example; all words have to be in the file's name.",
        )
    sites = {} if source.site else _sites(root)
    return [_item(source, first, scans, wanted[1:], truth, sites) for first in firsts]


def _item(
    source: DataSource,
    first: _Scan,
    scans: Sequence[_Scan],
    others: Sequence[str],
    truth: Sequence[_Scan],
    sites: dict[str, str],
) -> Item:
    name = stem(first.path).rpartition("_")[0]
    person = f"sub-{first.entities['sub']}"
    channels = [[scan for scan in scans if scan.says(part)] for part in others]
    return Item(
        name=name,
        subject=source.subject_of(name, otherwise=person),
        images=(
            first.path,
            *(
                _one(first, held, OF_SESSION, what=part)
                for held, part in zip(channels, others, strict=True)
            ),
        ),
        label=_one(first, truth, OF_SCAN, what="mask") if truth else None,
        site=source.site_of(name) or sites.get(person, ""),
    )


def _one(scan: _Scan, candidates: Sequence[_Scan], keys: Sequence[str], *, what: str) -> Path:
    fitting = [candidate for candidate in candidates if candidate.fits(scan, keys)]
    if len(fitting) == 1:
        return fitting[0].path
    names = some([candidate.path.name for candidate in fitting])
    raise UsageError(
        f"{scan.path.name} has no {what}."
        if not fitting
        else f"{scan.path.name} has {len(fitting)} files for {what}: {names}.",
        hint="Say more of the file's name (images: acq-hr_T1w, masks: label-lesion_mask), or pair "
        "the files in a list file.",
    )


def _files(root: Path) -> tuple[list[_Scan], list[_Scan]]:
    """Scans and masks, wherever they lie; scans in derivatives are left out."""
    scans, masks = [], []
    for path in image_paths(root):
        scan = _parsed(path)
        if scan is None:
            continue
        if scan.suffix in NOT_SCANS:
            masks.append(scan)
        elif DERIVATIVES not in path.relative_to(root).parts:
            scans.append(scan)
    if not scans:
        raise UsageError(
            f"The folder {root.name} holds no scans named as BIDS does.",
            hint="Files are called sub-01_FLAIR.nii.gz, in sub-01/anat.",
        )
    return scans, masks


def _parsed(path: Path) -> _Scan | None:
    *pairs, suffix = stem(path).split("_")
    entities = {key: value for key, dash, value in (pair.partition("-") for pair in pairs) if dash}
    return _Scan(path, entities, suffix) if "sub" in entities and suffix else None


def _only_suffix(scans: Sequence[_Scan], *, root: Path) -> tuple[str, ...]:
    found = sorted({scan.suffix for scan in scans})
    if len(found) > 1:
        raise UsageError(
            f"{root.name} has scans of several kinds: {_suffixes(scans)}.",
            hint="Choose the channels: images: FLAIR, or [FLAIR, T1w].",
        )
    return tuple(found)


def _suffixes(scans: Sequence[_Scan]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for scan in scans:
        counts[scan.suffix] += 1
    return ", ".join(f"{suffix} ({counts[suffix]})" for suffix in sorted(counts))


def _sites(root: Path) -> dict[str, str]:
    """Participant to site, where participants.tsv has such a column."""
    path = root / "participants.tsv"
    if not path.is_file():
        return {}
    rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter="\t")
    return {
        row["participant_id"]: row["site"]
        for row in rows
        if row.get("participant_id") and row.get("site") not in (None, "", "n/a")
    }
