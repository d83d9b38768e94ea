"""Endless streams of training slices: generated, cropped from real cases, or both mixed."""

from __future__ import annotations

import glob
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.training.recipe import Data

if TYPE_CHECKING:
    from leuko.synthesis.stream import StreamSettings

__all__ = ["Slice", "SourcePlan", "generator_settings", "plan_of", "stream"]


class Slice(Protocol):
    """What the generator and the real cases yield: one slice with its neighbours, and its truth."""

    @property
    def image(self) -> npt.NDArray[np.float16]:
        """(C, H, W): the slice amid its neighbours, brain level 1; of an even C the last is T1."""

    @property
    def allowed(self) -> npt.NDArray[np.int16]:
        """(H, W): bit c is set where class c is possible."""


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What a worker needs to make slices; plain values, so that it crosses processes.

    `generator` is 'module:function', called as `function(paths, seed=..., settings=...)`.
    """

    data: Data
    labelmaps: tuple[str, ...]
    generator: str = "leuko.synthesis.stream:slices"


def plan_of(data: Data, *, generator: str = "leuko.synthesis.stream:slices") -> SourcePlan:
    """The plan of a recipe's data: patterns resolved to files, in a fixed order.

    UsageError where a label map or a case is not there.
    """
    paths: list[str] = []
    for pattern in data.labelmaps:
        found = sorted(glob.glob(pattern))  # noqa: PTH207 (the pattern may be absolute)
        if not found:
            raise UsageError(
                f"No label map matches {Path(pattern).name}.", hint="Check --data and the recipe."
            )
        paths.extend(found)
    if data.real_share > 0.0:
        named = [
            file
            for case in data.cases
            for file in (case.flair, case.lesions, case.caps, case.t1)
            if file is not None
        ]
        absent = [file for file in named if not Path(file).is_file()]
        if absent:
            raise UsageError(
                f"{len(absent)} files of the recipe's cases are not there, the first: "
                f"{'/'.join(Path(absent[0]).parts[-2:])}.",
                hint="Check --data and the recipe.",
            )
    return SourcePlan(data, tuple(dict.fromkeys(paths)), generator)


def stream(plan: SourcePlan, *, seed: int) -> Iterator[Slice]:
    """Slices without end, each drawn from a real case with probability `real_share`."""
    data = plan.data
    made_seed, real_seed, mix_seed = np.random.SeedSequence(seed).generate_state(3)
    made = _generated(plan, seed=int(made_seed)) if data.real_share < 1.0 else None
    real = _real(plan, seed=int(real_seed)) if data.real_share > 0.0 else None
    random = np.random.default_rng(mix_seed)
    while True:
        source = real if real is not None and random.random() < data.real_share else made
        yield next(cast(Iterator[Slice], source if source is not None else real))


def generator_settings(data: Data) -> StreamSettings:
    """The generator's settings of a recipe; UsageError where it does not know one of them."""
    from leuko.synthesis.stream import StreamSettings

    # A generator that draws no T1 and one pair of neighbours need not know of more.
    more: dict[str, Any] = {} if data.t1_share is None else {"t1_share": data.t1_share}
    if data.neighbours_mm != (3.0,):
        more["neighbours_mm"] = data.neighbours_mm
    try:
        return StreamSettings(
            pixels=(data.crop[0], data.crop[1]), pixel_mm=data.pixel_mm, **more, **data.synthesis
        )
    except TypeError as error:
        raise UsageError(
            f"data.synthesis: {error}.", hint="See leuko.synthesis.stream.StreamSettings."
        ) from None


def _generated(plan: SourcePlan, *, seed: int) -> Iterator[Slice]:
    """The generator's slices."""
    module, _, function = plan.generator.partition(":")
    make = getattr(importlib.import_module(module), function)
    yield from make(plan.labelmaps, seed=seed, settings=generator_settings(plan.data))


def _real(plan: SourcePlan, *, seed: int) -> Iterator[Slice]:
    """Augmented crops of real cases."""
    from leuko.training.crops import crops
    from leuko.training.real import load_case

    data = plan.data
    cases = [
        plane
        for case in data.cases
        for plane in load_case(case, pixel_mm=data.pixel_mm, with_t1=data.t1_share is not None)
    ]
    yield from crops(
        cases,
        shape=data.crop,
        augmentation=data.augmentation,
        seed=seed,
        t1_share=data.t1_share,
        neighbours_mm=data.neighbours_mm,
    )
