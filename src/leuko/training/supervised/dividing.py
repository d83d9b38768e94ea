"""The split a recipe asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from leuko.datasets.items import Item
from leuko.datasets.splits import Split, by_subject, explicit, k_fold, leave_one_site_out
from leuko.errors import ReadError, UsageError
from leuko.training.supervised.recipe import SplitPlan

__all__ = ["split_items"]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    train: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


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
    content = _read(Path(plan.file))
    return explicit(items, train=content.train, valid=content.valid, test=content.test)


def _read(path: Path) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise ReadError(
            f"The split {path.name} cannot be read: {error.strerror}.", hint="Check split.file."
        ) from error
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{path.name} is no split: {error}.",
            hint='Write {"train": [names], "valid": [names], "test": [names]}.',
        ) from None
