"""The sentences that open the page of a comparison of methods."""

from __future__ import annotations

import math
from collections.abc import Iterator

from leuko.pipelines.compare import Comparison
from leuko.report.metric_words import BRIEF, title

__all__ = ["CLEAR", "care", "counted", "lead", "more"]

CLEAR = 0.05
LEVEL = 5e-4  # what three decimals show as equal


def lead(comparison: Comparison) -> str:
    """The first sentence: who comes first, and by which ranking."""
    ranking = comparison.ranking
    first, by_rank = ranking.order[0], ranking.order_by_rank[0]
    over = _over(comparison)
    level = [m for m in ranking.order if ranking.formula[m] - ranking.formula[first] < LEVEL]
    if len(level) > 1:
        both = (
            f"{', '.join(level[:-1])} and {level[-1]} share the first place {over} by the formula"
        )
        ranks = ranking.ranks
        if sum(ranks[method] - ranks[by_rank] < LEVEL for method in level) == len(level):
            return f"{both}, and by the mean of ranks."
        return f"{both}; {by_rank} comes first by the mean of ranks."
    if first == by_rank:
        return f"{first} comes first {over}, by both ways of ranking."
    return f"{first} comes first {over} by the formula, {by_rank} by the mean of ranks."


def counted(comparison: Comparison) -> str:
    """How many cases were compared."""
    count = len(comparison.cases)
    return f"{count} {comparison.counted}" if count > 1 else "one case"


def _over(comparison: Comparison) -> str:
    count = len(comparison.cases)
    return f"on {count} {comparison.counted}" if count > 1 else "on one case"


def more(comparison: Comparison) -> str:
    """What was ranked by, and how sure the order is."""
    best = comparison.ranking.order_by_rank[0]
    share = comparison.ranking.bootstrap[best].first
    metrics = ", ".join(BRIEF.get(name, title(name)) for name in comparison.metrics)
    text = f"Ranked by {metrics}."
    if not math.isnan(share):
        text += f" {best} is first in {100 * share:.0f} % of resamples of the cases."
    if len(comparison.cases) < 2:
        return text
    clear = [test for test in comparison.tests if test.p_holm < CLEAR]
    tested = len(comparison.tests)
    text += f" Differences with p < 0.05 after correction: {len(clear)} of {tested}"
    return text + (": the order may be chance." if tested and not clear else ".")


def care(comparison: Comparison) -> Iterator[str]:
    """Which cases were left out."""
    for method, cases in comparison.left_out.items():
        listed = ", ".join(cases[:5]) + (" ..." if len(cases) > 5 else "")
        yield (
            f"{method} has no scores for {listed} ({len(cases)}); these cases are left out for "
            "every method."
        )
