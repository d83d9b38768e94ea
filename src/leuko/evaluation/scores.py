"""All metrics of a pair by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from functools import cache

from leuko.errors import UsageError
from leuko.evaluation.pair import Pair
from leuko.evaluation.registry import METRICS

__all__ = ["metric_function", "scores"]


def scores(pair: Pair, *, names: Iterable[str] | None = None) -> dict[str, float]:
    """The metrics `names` of a pair (all of the registry by default), in the order asked for.

    nan stands for a value that does not exist, as for empty masks. Raises UsageError (exit 2)
    for an unknown name.
    """
    return {name: metric_function(name)(pair) for name in (METRICS if names is None else names)}


@cache
def metric_function(name: str) -> Callable[[Pair], float]:
    """The function that computes metric `name`."""
    if name not in METRICS:
        raise UsageError(
            f"There is no metric called {name!r}.", hint=f"Choose from: {', '.join(METRICS)}."
        )
    module, function = METRICS[name].function.split(":")
    loaded: Callable[[Pair], float] = getattr(importlib.import_module(module), function)
    return loaded
