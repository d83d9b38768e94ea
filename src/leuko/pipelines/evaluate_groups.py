"""Scores by site, and of sites that training has seen against those that it has not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leuko.evaluation.aggregate import Summary
from leuko.evaluation.statistics import Drop, clear_drop
from leuko.pipelines.evaluate_results import CaseScores, Evaluation, summaries

__all__ = ["SeenAndUnseen", "seen_and_unseen", "site_summaries"]


@dataclass(frozen=True, slots=True)
class SeenAndUnseen:
    """How many cases are of seen and of unseen sites, and what becomes of each metric's mean."""

    seen_cases: int
    unseen_cases: int
    drops: Mapping[str, Drop]


def site_summaries(evaluation: Evaluation) -> dict[str, tuple[int, Mapping[str, Summary]]]:
    """Number of cases and summary of every site by name; empty where no case has a site."""
    sites: dict[str, list[CaseScores]] = {}
    for case in evaluation.cases:
        if case.site:
            sites.setdefault(case.site, []).append(case)
    return {
        site: (len(cases), summaries([case.values for case in cases]))
        for site, cases in sorted(sites.items())
    }


def seen_and_unseen(evaluation: Evaluation) -> SeenAndUnseen | None:
    """The comparison by the 'clear drop' rule; None unless there are cases of both kinds."""
    seen = [case.values for case in evaluation.cases if case.seen is True]
    unseen = [case.values for case in evaluation.cases if case.seen is False]
    if not seen or not unseen:
        return None
    drops = clear_drop(_columns(seen), _columns(unseen))
    return SeenAndUnseen(len(seen), len(unseen), drops)


def _columns(rows: list[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}
