"""The split a recipe asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leuko.datasets.items import Item
from leuko.datasets.splits import Split, by_subject, k_fold, leave_one_site_out, read_split
from leuko.training.supervised.recipe import SplitPlan

__all__ = ["split_items"]


def split_items(items: Sequence[Item], plan: SplitPlan) -> Split:
    """Items to train on, to validate with and to test; never one subject in two of them.

    Raises UsageError (exit 2) where there are too few subjects or names are unknown, SafetyRefusal
    (exit 5) where a file divides a subject, ReadError (exit 3) where it cannot be read.
    """
    if plan.kind == "subjects":
        return by_subject(items, valid=plan.valid, test=plan.test, seed=plan.seed)
    if plan.kind == "folds":
        return k_fold(items, folds=plan.folds, fold=plan.fold, valid=plan.valid, seed=plan.seed)
    if plan.kind == "sites":
        return leave_one_site_out(items, site=plan.site, valid=plan.valid, seed=plan.seed)
    return read_split(Path(plan.file), items)
