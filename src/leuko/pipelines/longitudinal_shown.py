"""What a report of change is told."""

from __future__ import annotations

from leuko.change.classes import ChangeClass
from leuko.pipelines.longitudinal_result import Followed, Longitudinal
from leuko.pipelines.provenance import plain_values, program_version
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
            since_baseline_ml=since.lesion_change_ml,
        )
        for step, since in zip(result.steps, result.since_first, strict=True)
    ]
    return ChangeValues(
        visits=tuple(_visit(visit) for visit in result.visits),
        comparison=change.comparison,
        lesions=change.lesions,
        growth_ml=change.growth_ml,
        regression_ml=change.regression_ml,
        smallest_lesion_change_ml=change.smallest_lesion_change_ml,
        is_significant=change.is_significant,
        smallest_net_change_ml=change.smallest_net_change_ml,
        net_is_significant=change.net_change_is_significant,
        years=change.years,
        steps=tuple(steps),
        findings=result.findings,
        provenance=_provenance(result),
    )


def _visit(visit: Followed) -> VisitValues:
    made = visit.result.provenance
    return VisitValues(
        name=made.input_name,
        sha256=made.input_sha256 or "",
        image=visit.image,
        burden=visit.result.burden,
        day=visit.day,
    )


def _provenance(result: Longitudinal) -> dict[str, object]:
    made = result.visits[-1].result.provenance
    same = ("weights_name", "weights_version", "weights_sha256", "engine", "precision")
    return {
        "version": program_version(),
        **{name: getattr(made, name) or "" for name in same},
        "time": result.time,
        "definition": str(result.parameters["definition"]),
        "parameters": plain_values(result.parameters),
    }
