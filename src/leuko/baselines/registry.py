"""The baselines by name: a plain dictionary that loads nothing heavy.

Of a method without training `function` takes a Scene and parameters and returns a mask; of one with
training it takes a seed and returns an unfitted classifier of scikit-learn.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from leuko.errors import UsageError

__all__ = ["METHODS", "Method", "Parameters", "method_named"]

Parameters = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Method:
    """One baseline. `defaults` are used untrained, `candidates` are tried on training cases."""

    name: str
    title: str
    trained: bool
    function: str
    defaults: Parameters
    candidates: tuple[Parameters, ...] = ()


def _grid(**values: tuple[float, ...]) -> tuple[Parameters, ...]:
    """Every combination, in the order of the arguments."""
    return tuple(
        MappingProxyType(dict(zip(values, chosen, strict=True)))
        for chosen in itertools.product(*values.values())
    )


_ENTRIES = (
    Method(
        "threshold",
        "z-score above kappa, grown to a lower one",
        trained=False,
        function="leuko.baselines.growth:grown",
        defaults={"kappa": 5.5, "grow": 0.6, "inset_mm": 10.0},
        candidates=_grid(
            kappa=(3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0),
            grow=(0.5, 0.6, 0.7, 0.85, 1.0),
            inset_mm=(0.0, 6.0, 10.0),
        ),
    ),
    Method(
        "gmm",
        "brightest part of a Gaussian mixture",
        trained=False,
        function="leuko.baselines.clusters:mixture",
        defaults={"components": 7.0, "inset_mm": 10.0},
        candidates=_grid(components=(2.0, 3.0, 5.0, 7.0, 9.0), inset_mm=(0.0, 10.0)),
    ),
    Method(
        "kmeans",
        "brightest of k clusters",
        trained=False,
        function="leuko.baselines.clusters:kmeans",
        defaults={"clusters": 8.0, "inset_mm": 10.0},
        candidates=_grid(clusters=(2.0, 4.0, 6.0, 8.0, 10.0, 12.0), inset_mm=(0.0, 10.0)),
    ),
    Method(
        "forest",
        "random forest on voxel features",
        trained=True,
        function="leuko.baselines.classifiers:forest",
        defaults={"cut": 0.5},
    ),
    Method(
        "svm",
        "support vector machine on voxel features",
        trained=True,
        function="leuko.baselines.classifiers:svm",
        defaults={"cut": 0.0},
    ),
    Method(
        "tree",
        "one decision tree on voxel features",
        trained=True,
        function="leuko.baselines.classifiers:tree",
        defaults={"cut": 0.5},
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def method_named(name: str) -> Method:
    """The method of that name; UsageError (exit 2) where there is none."""
    if name not in METHODS:
        raise UsageError(f"There is no baseline '{name}'.", hint=f"Choose: {', '.join(METHODS)}.")
    return METHODS[name]
