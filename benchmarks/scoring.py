"""Scores of masks on a set of scans: of a case, and over cases with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from leuko.evaluation.aggregate import summarise
from leuko.evaluation.lesionwise import SizeScore, by_size
from leuko.evaluation.pair import Pair, pair_images
from leuko.evaluation.registry import CHALLENGE, METRICS
from leuko.evaluation.scores import scores
from leuko.image.image import Image
from scan_sets import Case, ScanSet

__all__ = [
    "BIAS",
    "COLUMNS",
    "SIZE_LIMITS_MM3",
    "Row",
    "Share",
    "case_bias",
    "means",
    "row_record",
    "score",
    "share",
    "size_records",
    "size_share",
    "summary_record",
    "uncut",
    "volume_bias",
]

COLUMNS = (*CHALLENGE, "lesion_f1_strict")
ALWAYS = (
    *COLUMNS, "lesion_precision", "volume_difference_ml", "reference_ml", "prediction_ml",
    "reference_lesions", "predicted_lesions",
)  # fmt: skip
BIAS = "volume_bias_percent"
SIZE_LIMITS_MM3 = (15.0, 50.0, 200.0, 1000.0)
RESAMPLES = 10_000
SEED = 20170914


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one case of one set."""

    method: str
    set: str
    case: str
    values: dict[str, float]
    sizes: tuple[SizeScore, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A sum over another sum, `of` it, with the 95 % interval of drawing other scans.

    `value` and the interval are nan where `of` is 0, the interval also with a single scan.
    """

    value: float
    of: float
    low: float
    high: float


def score(
    entry: ScanSet, case: Case, mask: Image, *, method: str, everything: bool
) -> tuple[Row, Pair]:
    """Score one mask; `everything` adds the metrics that need the 3D surfaces."""
    truth = entry.truth(case) if entry.truth else mask.with_data(np.zeros_like(mask.data))
    pair = pair_images(truth, mask)
    values = scores(pair, names=METRICS if everything else ALWAYS)
    values[BIAS] = _percent(values["prediction_ml"], values["reference_ml"])
    sizes = by_size(pair, limits_mm3=SIZE_LIMITS_MM3)
    return Row(method, entry.key, case.name, values, sizes), pair


def means(rows: Iterable[Row], names: Sequence[str] = COLUMNS) -> dict[str, float]:
    """Mean of every metric over the cases that have a value."""
    listed = list(rows)
    return {name: summarise(row.values[name] for row in listed).mean for name in names}


def volume_bias(rows: Sequence[Row]) -> Share:
    """All volume found minus all true volume, in percent of the true volume; `of` is in ml."""
    found = share(
        [row.values["prediction_ml"] for row in rows], [row.values["reference_ml"] for row in rows]
    )
    value, low, high = (100 * (part - 1) for part in (found.value, found.low, found.high))
    return Share(value, found.of, low, high)


def case_bias(rows: Sequence[Row]) -> Share:
    """The mean over cases of the signed volume difference in percent of the case's true volume."""
    summary = summarise(row.values[BIAS] for row in rows)
    return Share(summary.mean, summary.count, summary.interval_low, summary.interval_high)


def size_share(rows: Sequence[Row], size: int, *, precision: bool) -> Share:
    """Of all lesions of a size class in the set the share that is found, or true."""
    own = [row.sizes[size] for row in rows]
    if precision:
        return share([one.true for one in own], [one.predicted for one in own])
    return share([one.found for one in own], [one.reference for one in own])


def share(parts: Sequence[float], wholes: Sequence[float]) -> Share:
    """Sum of `parts` over sum of `wholes`, a scan each, with a bootstrap interval over scans.

    Draws without anything to take a share of are left out of the interval.
    """
    both = np.array([parts, wholes], dtype=np.float64)
    part, whole = (float(total) for total in both.sum(axis=1))
    if not whole:
        return Share(math.nan, 0.0, math.nan, math.nan)
    if both.shape[1] < 2:
        return Share(part / whole, whole, math.nan, math.nan)
    draws = np.random.default_rng(SEED).integers(both.shape[1], size=(RESAMPLES, both.shape[1]))
    drawn = both[:, draws].sum(axis=2)
    low, high = np.percentile(drawn[0][drawn[1] > 0] / drawn[1][drawn[1] > 0], (2.5, 97.5))
    return Share(part / whole, whole, float(low), float(high))


def uncut(pair: Pair) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Truth and mask of a pair on the whole grid, file axes."""
    box = tuple(
        slice(start, start + size)
        for start, size in zip(pair.origin, pair.reference.shape, strict=True)
    )
    whole = np.zeros((2, *pair.grid.shape), dtype=bool)
    whole[0][box], whole[1][box] = pair.reference, pair.prediction
    return whole[0], whole[1]


def row_record(row: Row) -> dict[str, object]:
    """A row for JSON; None where a metric has no value."""
    record = asdict(row)
    record["values"] = {name: _number(value) for name, value in row.values.items()}
    return record


def summary_record(rows: Sequence[Row]) -> dict[str, object]:
    """Mean, spread and interval of the main metrics over the rows, for JSON.

    `volume_bias_percent` is of the summed volumes, `case_bias_percent` the mean over cases.
    """
    record: dict[str, object] = {
        name: _plain(asdict(summarise(row.values[name] for row in rows))) for name in COLUMNS
    }
    record[BIAS] = _plain(asdict(volume_bias(rows)))
    record["case_bias_percent"] = _plain(asdict(case_bias(rows)))
    record["prediction_ml"] = means(rows, ("prediction_ml",))["prediction_ml"]
    return record


def size_records(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Recall and precision of each size class over all lesions of the rows, for JSON."""
    return [
        {
            "from_mm3": from_mm3,
            "recall": _plain(asdict(size_share(rows, size, precision=False))),
            "precision": _plain(asdict(size_share(rows, size, precision=True))),
        }
        for size, from_mm3 in enumerate((0.0, *SIZE_LIMITS_MM3))
    ]


def _percent(found: float, true: float) -> float:
    return 100 * (found - true) / true if true else math.nan


def _plain(record: dict[str, object]) -> dict[str, object]:
    return {name: _number(value) for name, value in record.items()}


def _number(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
