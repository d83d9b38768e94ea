"""Preprocessing: an image through a list of steps, with its masks, every effect written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from leuko.findings import Finding
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.pipelines.preprocess_state import Session, State
from leuko.pipelines.preprocess_steps import DO, region_of
from leuko.preparation.histogram import PERCENTILES, Landmarks, measure_landmarks
from leuko.preparation.steps import Normalise, Step, check_steps, step_name
from leuko.progress import Journal, Watcher, silent
from leuko.progress import Step as Done

__all__ = ["Preprocessed", "landmarks_before", "learns_scale", "preprocess", "preprocess_image"]


@dataclass(frozen=True, slots=True, eq=False)
class Preprocessed:
    """The image after its steps, and what was carried along or found on the way.

    `brain` is there where a step needed it, `bias_field` where N4 ran (on the grid it ran on).
    """

    image: Image
    brain: Image | None
    mask: Image | None
    bias_field: Image | None
    steps: tuple[Done, ...]
    findings: tuple[Finding, ...]


def preprocess(
    image: Image,
    steps: Sequence[Step],
    *,
    mask: Image | None = None,
    watch: Watcher = silent,
) -> Image:
    """The image after the steps of `leuko.preparation.steps`, done in their order.

    `mask` is for `Crop(to="mask")`. Use `preprocess_image` for masks and record. Raises UsageError
    (exit 2) for impossible parameters, UnusableInput (exit 4) where a step cannot be done on the
    image, GridMismatch (exit 5) where the mask is on another grid.
    """
    return preprocess_image(image, steps, mask=mask, watch=watch).image


def preprocess_image(
    image: Image,
    steps: Sequence[Step],
    *,
    mask: Image | None = None,
    session: Session | None = None,
    watch: Watcher = silent,
) -> Preprocessed:
    """As `preprocess`, with the masks (label-safe, on the result's grid) and a record of all."""
    checked = check_steps(tuple(steps))
    if mask is not None:
        require_same_grid(image.grid, mask.grid, what="The image", other_what="the mask")
    state = State(image, mask, session or Session())
    journal = Journal(watch)
    _run(checked, state, journal)
    return Preprocessed(
        state.result(), state.brain, state.mask, state.field, journal.steps, tuple(state.findings)
    )


def _run(steps: Sequence[Step], state: State, journal: Journal) -> None:
    for step in steps:
        with journal.step(step_name(step)) as noted:
            DO[type(step)](state, step, noted)


def learns_scale(steps: Sequence[Step]) -> bool:
    """Whether a step matches histograms without a reference."""
    return any(_matches(step) and step.reference is None for step in steps)


def _matches(step: Step) -> TypeGuard[Normalise]:
    return isinstance(step, Normalise) and step.method == "histogram"


def landmarks_before(image: Image, steps: Sequence[Step], *, session: Session) -> Landmarks:
    """The landmarks of an image as it is when its histogram is to be matched; to learn a scale."""
    checked = check_steps(tuple(steps))
    at, matching = next((n, step) for n, step in enumerate(checked) if _matches(step))
    state = State(image, None, session)
    _run(checked[:at], state, Journal())
    return measure_landmarks(state.values(region_of(matching), {}), percentiles=PERCENTILES)
