"""WMH weights on scans that they never learned from: did finetuning help, did it forget?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leuko.errors import LeukoError
from leuko.evaluation.pair import pair_masks
from leuko.evaluation.registry import CHALLENGE, METRICS
from leuko.evaluation.scores import scores
from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import require_same_grid
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model
from leuko.pipelines.segment import segment

__all__ = ["CHALLENGE", "Difference", "HeldOut", "Scored", "difference", "score_weights"]

TISSUES = ("white_matter", "ventricles")
CLEARLY = 0.01  # of Dice: less is no difference
MOVED, SHIFTED = 10.0, 5.0  # percent of a tissue's volume
FEW = 5  # held-out scans, below which a mean says little


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A scan with its truth: a mask of lesions, and one of caps and rims where they are apart."""

    name: str
    scan: Path
    truth: Path
    caps: Path | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A scan's five challenge metrics, and volumes in ml; a tissue is None where not measured."""

    name: str
    values: Mapping[str, float]
    found_ml: float
    truth_ml: float
    tissue_ml: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """The same scans before and after; `means` by metric, `moved` in percent by tissue.

    `verdict` is 'better', 'worse' or 'alike' by the mean Dice (0.01 counts), `said` sentences.
    """

    before: tuple[Scored, ...]
    after: tuple[Scored, ...]
    means: Mapping[str, tuple[float, float]]
    moved: Mapping[str, float]
    verdict: str
    said: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything as dictionaries; what does not exist is None."""
        return {
            "verdict": self.verdict,
            "said": list(self.said),
            "mean": {
                name: {"before": _finite(old), "after": _finite(new)}
                for name, (old, new) in self.means.items()
            },
            "tissue_volume_change_percent": dict(self.moved),
            "cases": [
                {"id": old.name, "before": _plain(old), "after": _plain(new)}
                for old, new in zip(self.before, self.after, strict=True)
            ],
        }


def score_weights(
    cases: Sequence[HeldOut],
    *,
    weights: Path | None = None,
    definition: str = "vascular",
    watch: Callable[[str], None] = lambda name: None,  # noqa: ARG005
) -> tuple[Scored, ...]:
    """Segment every scan with the weights in a folder (None: packaged) and score the masks.

    Every value other than 0 of a truth counts, and caps and rims too unless `definition` is 'ms'.
    Raises what reading and segmenting raise, with the name of the scan.
    """
    config = SegmentConfig(definition=definition)  # type: ignore[arg-type]  # checked there
    model = load_model(config, weights=weights)
    made = []
    for case in cases:
        watch(case.name)
        try:
            made.append(_score(case, config=config, model=model))
        except LeukoError as error:
            raise type(error)(
                f"Held-out scan {case.name}: {error.what}", hint=error.hint
            ) from error
    return tuple(made)


def difference(before: Sequence[Scored], after: Sequence[Scored], *, title: str) -> Difference:
    """What finetuning changed; `title` names the weights it began with."""
    means = {
        name: (_mean(s.values[name] for s in before), _mean(s.values[name] for s in after))
        for name in CHALLENGE
    }
    moved = {}
    for tissue in TISSUES:
        changes = [
            100.0 * (new / old - 1.0)
            for old, new in (
                (b.tissue_ml[tissue], a.tissue_ml[tissue])
                for b, a in zip(before, after, strict=True)
            )
            if old and new is not None
        ]
        if changes:
            moved[tissue] = max(changes, key=abs)
    old, new = means["dice"]
    gain = new - old
    verdict = "better" if gain >= CLEARLY else "worse" if gain <= -CLEARLY else "alike"
    said = (
        *_on_lesions(before, after, means, verdict=verdict, title=title),
        *_on_anatomy(moved, title=title),
    )
    return Difference(tuple(before), tuple(after), means, moved, verdict, said)


def _score(case: HeldOut, *, config: SegmentConfig, model: Any) -> Scored:
    image = read_scan(case.scan)
    truth = np.zeros(image.grid.shape, dtype=bool)
    for path in (case.truth, None if config.definition == "ms" else case.caps):
        if path is None:
            continue
        mask = read_mask(path)
        require_same_grid(
            image.grid, mask.grid, what="The scan", other_what=f"its mask {path.name}"
        )
        truth |= mask.data != 0
    result = segment(image, config=config, model=model)
    pair = pair_masks(truth, np.greater(result.mask.data, 0), grid=image.grid)
    burden = result.burden
    return Scored(
        case.name,
        scores(pair, names=CHALLENGE),
        found_ml=burden.volume_ml,
        truth_ml=pair.reference_voxels * pair.voxel_ml,
        tissue_ml={"white_matter": burden.white_matter_ml, "ventricles": burden.ventricles_ml},
    )


def _on_lesions(
    before: Sequence[Scored],
    after: Sequence[Scored],
    means: Mapping[str, tuple[float, float]],
    *,
    verdict: str,
    title: str,
) -> list[str]:
    old, new = means["dice"]
    count = len(before)
    rose = sum(a.values["dice"] > b.values["dice"] for b, a in zip(before, after, strict=True))
    better = [
        METRICS[name].title
        for name, (b, a) in means.items()
        if (a > b if METRICS[name].better == "higher" else a < b)
    ]
    figures = f"mean Dice {old:.3f} before, {new:.3f} after; it rose in {rose} of {count} scans"
    first = {
        "better": f"Finetuning helped on the held-out scans: {figures}.",
        "alike": f"Finetuning did NOT help on the held-out scans: {figures}. "
        f"Stay with {title}, or bring more scans.",
        "worse": f"Finetuning made it WORSE on the held-out scans: {figures}. Stay with {title}.",
    }[verdict]
    said = [first, f"Of the five metrics {len(better)} improved: {', '.join(better) or 'none'}."]
    if count < FEW:
        said.append(
            f"{count} held-out scan{'s' if count > 1 else ''} decide{'' if count > 1 else 's'} "
            "little: look at the masks, too."
        )
    return said


def _on_anatomy(moved: Mapping[str, float], *, title: str) -> list[str]:
    if not moved:
        return ["The anatomy could not be measured on the held-out scans."]
    listed = ", ".join(
        f"{tissue.replace('_', ' ')} {value:+.1f} %" for tissue, value in moved.items()
    )
    largest = max(abs(value) for value in moved.values())
    if largest < SHIFTED:
        return [f"The anatomy held: largest change of a volume: {listed}."]
    if largest < MOVED:
        return [
            f"The anatomy shifted a little: {listed} at most. Compare volumes of tissues only "
            "among results of the same weights."
        ]
    return [
        f"The anatomy MOVED: {listed} at most. Take volumes of tissues, regions and shares of "
        f"white matter from {title}; fewer steps, a lower --lr or --labelmaps keep it better."
    ]


def _mean(values: Any) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _plain(scored: Scored) -> dict[str, Any]:
    return {
        **{name: _finite(value) for name, value in scored.values.items()},
        "found_ml": scored.found_ml,
        "truth_ml": scored.truth_ml,
        **{f"{tissue}_ml": value for tissue, value in scored.tissue_ml.items()},
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
