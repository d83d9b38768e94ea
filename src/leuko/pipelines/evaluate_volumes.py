"""Predicted volumes against those of the reference, over the cases."""

from __future__ import annotations

import math
from dataclasses import dataclass

from leuko.evaluation.agreement import (
    BlandAltman,
    Concordance,
    Correlation,
    Icc,
    bland_altman,
    concordance,
    icc,
    pearson,
    spearman,
)
from leuko.pipelines.evaluate_results import Evaluation

__all__ = ["VolumeAgreement", "agreement_of", "volume_agreement"]

NEEDED = ("reference_ml", "prediction_ml")


@dataclass(frozen=True, slots=True)
class VolumeAgreement:
    """Agreement of volumes in ml of one label or of the mask.

    `cases` names the cases in the order of `reference` and `prediction`.
    """

    label: str
    cases: tuple[str, ...]
    reference: tuple[float, ...]
    prediction: tuple[float, ...]
    bland_altman: BlandAltman
    icc: Icc
    concordance: Concordance
    pearson: Correlation
    spearman: Correlation


def volume_agreement(evaluation: Evaluation) -> tuple[VolumeAgreement, ...]:
    """One agreement for the masks, or one a label; none without volumes, as of pictures."""
    rows: dict[str, list[tuple[str, float, float]]] = {}
    for case in evaluation.cases:
        for label, values in case.labels.items():
            if all(name in values for name in NEEDED):
                row = (case.case, values[NEEDED[0]], values[NEEDED[1]])
                rows.setdefault(evaluation.labels[label], []).append(row)
        if not case.labels and all(name in case.values for name in NEEDED):
            row = (case.case, case.values[NEEDED[0]], case.values[NEEDED[1]])
            rows.setdefault("", []).append(row)
    known = {
        label: [row for row in found if not math.isnan(row[1] + row[2])]
        for label, found in rows.items()
    }
    return tuple(agreement_of(label, found) for label, found in known.items() if len(found) > 1)


def agreement_of(label: str, rows: list[tuple[str, float, float]]) -> VolumeAgreement:
    """The agreement of rows of (case, reference volume, predicted volume)."""
    reference = [row[1] for row in rows]
    prediction = [row[2] for row in rows]
    return VolumeAgreement(
        label=label,
        cases=tuple(row[0] for row in rows),
        reference=tuple(reference),
        prediction=tuple(prediction),
        bland_altman=bland_altman(reference, prediction),
        icc=icc(reference, prediction),
        concordance=concordance(reference, prediction),
        pearson=pearson(reference, prediction),
        spearman=spearman(reference, prediction),
    )
