"""What a network says of a scan, beside what an expert drew: volumes, lesions, voxels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.image.image import Image, to_canonical
from leuko.models.card import Card
from leuko.postprocess.threshold import calibrated
from leuko.quantify.lesions import label_lesions
from leuko.quantify.voxels import lesion_voxels
from scan_sets import Case, ScanSet, find_cases

if TYPE_CHECKING:
    from network_masks import NetworkMasks

__all__ = ["Scan", "unseen_scans"]

IN_DOUBT = 0.01  # probability; what is dark to the network, 99 % of a head, is sure anyway
SURE = 0.9  # probability
MOST_VOXELS = 20_000  # of a scan: more say the same
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One scan under one definition, seen by weights that were not trained on its set."""

    key: str  # of the set and definition
    group: str  # of the set
    case: str
    definition: str
    weights: str
    volume_ml: float  # of the mask
    truth_ml: float
    sure_ml: float  # of the voxels that are lesion with a probability of .9 or more
    doubtful_ml: float  # of .1 or more
    peak: FloatArray  # of every lesion of the mask: its highest probability
    mean: FloatArray
    real: BoolArray  # whether it touches a lesion that the expert drew
    probability: FloatArray  # of voxels in doubt, drawn at random
    lesion: BoolArray  # what the expert called them


def unseen_scans(
    weights: Sequence[Path], *, sets: Sequence[ScanSet], data: Path, store: Path, card: Card
) -> Iterator[Scan]:
    """The scans of every set, by the first weights that were trained on none of them.

    `card` gives the operating points and the views: masks are made as with it. UsageError for
    weights that are no checkpoint of a run: nobody knows what those were trained on.
    """
    from network_masks import NetworkMasks
    from training_runs import weights_in

    for path in weights:
        if weights_in(path).suffix not in (".pt", ".ckpt"):
            raise UsageError(
                f"{path.name} does not say which scans it was trained on.",
                hint="Give the folder of a run of leuko train, or its checkpoint.",
            )

    left = [(entry, cases) for entry in sets if (cases := find_cases(data, entry))]
    for path in weights:
        masks = NetworkMasks.of(path, name="", store=store, changes={}, views=card.views)
        masks.card = msgspec.structs.replace(masks.card, operating_points=card.operating_points)
        for entry, cases in [one for one in left if not masks.seen(*one)]:
            left.remove((entry, cases))
            yield from (_scan(masks, entry, case) for case in cases)


def _scan(masks: NetworkMasks, entry: ScanSet, case: Case) -> Scan:
    mask, probability = masks.mask(entry, case, {}), masks.probability(entry, case)
    truth = mask.with_data(np.zeros_like(mask.data)) if entry.truth is None else entry.truth(case)
    value = calibrated(
        np.ascontiguousarray(to_canonical(probability.data, mask.grid)),
        temperature=masks.setting(entry.definition, "temperature"),
    )
    found, drawn = _canonical(mask), _canonical(truth)
    mm3 = mask.grid.voxel_mm3
    labels, count = label_lesions(found)
    voxels = lesion_voxels(labels)
    in_doubt = np.flatnonzero(value.ravel() >= IN_DOUBT)
    chosen = np.random.default_rng(0).permutation(in_doubt)[:MOST_VOXELS]
    return Scan(
        key=entry.key,
        group=entry.group,
        case=case.name,
        definition=entry.definition,
        weights=masks.name,
        volume_ml=float(found.sum()) * mm3 / 1000,
        truth_ml=float(drawn.sum()) * mm3 / 1000,
        sure_ml=float((value >= SURE).sum()) * mm3 / 1000,
        doubtful_ml=float((value >= 1 - SURE).sum()) * mm3 / 1000,
        peak=voxels.peaks(voxels.values(value)),
        mean=voxels.means(voxels.values(value)) if count else np.zeros(0),
        real=voxels.means(voxels.values(drawn)) > 0 if count else np.zeros(0, dtype=bool),
        probability=value.ravel()[chosen].astype(np.float64),
        lesion=drawn.ravel()[chosen],
    )


def _canonical(image: Image) -> BoolArray:
    return np.asarray(np.ascontiguousarray(to_canonical(image.data, image.grid)) == 1)
