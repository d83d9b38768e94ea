"""What a report of change is told."""

from __future__ import annotations

from leuko.change.classes import ChangeClass
from leuko.pipelines.longitudinal_result import Followed, Longitudinal
from leuko.pipelines.provenance import program_version
from leuko.report.change_values import ChangeValues, StepValues, VisitValues

__all__ = ["shown_values"]


def shown_values(result: Longitudinal) -> ChangeValues:
    """The values of a report: from the first visit to the last, with the steps between."""
    change = result.change
    steps = [
        StepValues(
            new=step.counts[ChangeClass.NEW],
            growth_ml=step.growth_ml,
            regression_ml=step.regression_ml,
            since_baseline_ml=since.growth_ml - since.regression_ml,
        )
        for step, since in zip(result.steps, result.since_first, strict=True)
    ]
    provenance = result.visits[-1].result.provenance
    return ChangeValues(
        visits=tuple(_visit(visit) for visit in result.visits),
        comparison=change.comparison,
        lesions=change.lesions,
        growth_ml=change.growth_ml,
        regression_ml=change.regression_ml,
        smallest_change_ml=change.smallest_change_ml,
        is_significant=change.is_significant,
        years=change.years,
        steps=tuple(steps),
        findings=result.findings,
        provenance={
            "version": program_version(),
            "weights_name": provenance.weights_name or "",
            "time": result.time,
            "definition": str(result.parameters["definition"]),
        },
    )


def _visit(visit: Followed) -> VisitValues:
    name = visit.result.provenance.input_name
    return VisitValues(name, visit.image, visit.result.burden, visit.day)
