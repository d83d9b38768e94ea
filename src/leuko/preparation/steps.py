"""Every step of preprocessing with its parameters, as frozen values that YAML can spell."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from leuko.errors import UsageError

__all__ = [
    "N4",
    "Brain",
    "Crop",
    "Normalise",
    "Region",
    "Reorient",
    "Resample",
    "Shape",
    "Step",
    "Window",
    "check_steps",
    "parse_steps",
    "step_name",
]

Positive = Annotated[float, Meta(gt=0, le=1000)]
Millimetres = Annotated[float, Meta(ge=0, le=1000)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=1, le=100_000)]

Region = Literal["auto", "brain", "white-matter", "foreground", "nonzero", "all"]
"""Voxels that a value is measured in; `auto` is said with each step."""


class _Base(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="step"):
    """A step; the key `step` names it in YAML and JSON."""


class Reorient(_Base, frozen=True, tag="reorient"):
    """Permute and flip axes so that their indices rise towards these three directions."""

    to: Annotated[str, Meta(pattern="^[RLAPSIrlapsi]{3}$")] = "RAS"


class Brain(_Base, frozen=True, tag="brain"):
    """Find the brain with the packaged network, and set all else to 0."""

    extent: Literal["brain", "intracranial"] = "brain"
    """`intracranial`: with the fluid around the brain."""

    margin_mm: Millimetres = 0.0
    """The mask is grown by this much."""

    apply: bool = True
    """False: only find the mask, for the steps that follow and for the output."""


class N4(_Base, frozen=True, tag="n4"):
    """Correct the slow change of brightness that coils leave (N4)."""

    region: Region = "auto"
    """Where the field is measured; auto: the brain where it has been found, else foreground."""

    working_mm: Positive = 4.0
    """Voxels are reduced to about this size while the field is sought."""

    iterations: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=8)] = (50, 50, 50, 50)
    """At most so many rounds on each level; each level halves the knots' distance."""

    spline_mm: Positive = 200.0
    """Distance of the field's knots on the first level."""

    tolerance: Annotated[float, Meta(gt=0, lt=1)] = 1e-3
    """A level ends when a round changes the field by less than this."""


class Resample(_Base, frozen=True, tag="resample"):
    """Other voxels over the same box of the world."""

    # Limits are checked by hand: msgspec 0.22 loses those of a number or a tuple of numbers.
    spacing: float | tuple[float | None, float | None, float | None] = 1.0
    """mm: one number for cubic voxels, or one for each axis of the array (null: as it is)."""

    kernel: Literal["nearest", "linear", "cubic"] = "linear"
    """How values between centres are made; masks always keep whole labels."""


class Window(_Base, frozen=True, tag="window"):
    """Limit values to a window, such as of Hounsfield units."""

    preset: str | None = None
    """A name of `preparation.window.PRESETS`."""

    low: float | None = None
    high: float | None = None
    """The limits themselves, instead of a preset."""

    rescale: bool = False
    """True: the window becomes 0 to 1."""


class Normalise(_Base, frozen=True, tag="normalise"):
    """Bring values to a common scale."""

    method: Literal["zscore", "minmax", "percentile", "histogram"] = "zscore"
    region: Region = "auto"
    """auto: zscore brain, minmax white-matter, percentile and histogram foreground."""

    low: Percent | None = None
    high: Percent | None = None
    """Percentiles that become 0 and 1; default 0 and 100 for minmax, 1 and 99 for percentile."""

    clip: bool | None = None
    """Cut off below 0 and above 1; default only for percentile."""

    reference: str | None = None
    """histogram: an image, or a standard scale (JSON) that an earlier run learnt."""


class Crop(_Base, frozen=True, tag="crop"):
    """Cut to the box around the brain, the foreground, or a carried mask."""

    to: Literal["brain", "foreground", "mask"] = "foreground"
    margin_mm: Millimetres = 5.0


class Shape(_Base, frozen=True, tag="shape"):
    """Cut or pad to a number of voxels along each axis, around the middle."""

    voxels: tuple[Count, Count, Count]
    centre: Literal["image", "brain", "foreground"] = "image"


Step: TypeAlias = Reorient | Brain | N4 | Resample | Window | Normalise | Crop | Shape


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of steps."""

    steps: tuple[Step, ...]


def step_name(step: Step) -> str:
    """The step's name in YAML."""
    return str(type(step).__struct_config__.tag)


def parse_steps(content: bytes, *, name: str) -> tuple[Step, ...]:
    """The steps in a YAML (or JSON) file: a list, or a list under `steps:`, in their order.

    Raises UsageError (exit 2) that says which field is wrong.
    """
    import yaml

    try:
        found = yaml.safe_load(content)
        whole = {"steps": found} if isinstance(found, list) else found
        steps = msgspec.convert(whole, _File).steps
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise UsageError(
            f"{name} is no list of steps: {problem}.",
            hint="Each step is a line such as {step: n4} with its parameters; "
            "docs/preprocess.md lists them.",
        ) from error
    return check_steps(steps)


def check_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps with their values checked, and what a type cannot say; UsageError (exit 2)."""
    if not steps:
        raise UsageError("There is no step to do.", hint="Name at least one step.")
    try:
        checked = msgspec.convert(msgspec.to_builtins(steps), tuple[Step, ...])
    except msgspec.ValidationError as error:
        raise UsageError(
            f"A step has an impossible value: {error}.",
            hint="docs/preprocess.md lists every parameter with its range.",
        ) from error
    for step in checked:
        if isinstance(step, Window):
            _check_window(step)
        if isinstance(step, Resample):
            _check_spacing(step)
        if isinstance(step, Normalise) and step.reference and step.method != "histogram":
            raise UsageError(
                f"A reference means nothing to the normalisation '{step.method}'.",
                hint="Use it with the method histogram.",
            )
    return checked


def _check_spacing(step: Resample) -> None:
    given = step.spacing if isinstance(step.spacing, tuple) else (step.spacing,)
    for mm in given:
        if mm is not None and not 0 < mm <= 1000:
            raise UsageError(
                f"A voxel cannot be {mm:g} mm wide.", hint="Give sizes above 0 and up to 1000 mm."
            )


def _check_window(step: Window) -> None:
    from leuko.preparation.window import PRESETS

    limits = step.low is not None and step.high is not None
    if (step.preset is None) != limits or (step.preset and (step.low or step.high) is not None):
        raise UsageError(
            "A window needs a preset, or both limits.",
            hint=f"Presets: {', '.join(PRESETS)}. Limits: low and high.",
        )
    if step.preset is not None and step.preset not in PRESETS:
        raise UsageError(
            f"There is no window '{step.preset}'.", hint=f"Choose: {', '.join(PRESETS)}."
        )
    if step.low is not None and step.high is not None and not step.low < step.high:
        raise UsageError(
            f"A window from {step.low:g} to {step.high:g} is empty.",
            hint="Give the lower limit first.",
        )
