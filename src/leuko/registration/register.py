"""Registration of two scans: the methods by name, in one call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np

from leuko.errors import UnusableInput, UsageError
from leuko.findings import Finding, Severity
from leuko.image.image import Image
from leuko.registration.bspline import fit_bspline
from leuko.registration.demons import fit_demons
from leuko.registration.features import FeatureFit, FeatureModel, fit_features
from leuko.registration.linear import STEPS_MM, LinearFit, fit_linear
from leuko.registration.metrics import METRICS, MetricName
from leuko.registration.models import LINEAR_METHODS, LinearMethod
from leuko.registration.optimisers import OPTIMISERS, OptimiserName
from leuko.registration.pyramid import Prepared, prepare, sample_points
from leuko.registration.quality import Quality, folded_share, measure_quality
from leuko.registration.trace import LevelTrace
from leuko.registration.transforms import Affine, Transform, compose
from leuko.registration.verdict import LITTLE_OVERLAP, verdict

__all__ = ["METHODS", "Fit", "Method", "Settings", "about_bend", "register_images"]

Method = Literal["translation", "rigid", "affine", "bspline", "demons", "sift", "orb"]
METHODS: tuple[Method, ...] = (
    "translation", "rigid", "affine", "bspline", "demons", "sift", "orb"
)  # fmt: skip
BACK_POINTS = 300
ONE_PLACE_MM = 3.0  # two fits closer than this found the same, each with its own small error
DROP = 0.05  # of agreement: a bend that costs this much made it worse


@dataclass(frozen=True, slots=True)
class Settings:
    """What a registration is asked for; demons always use mean squares."""

    method: Method = "rigid"
    metric: MetricName = "nmi"
    optimiser: OptimiserName = "lbfgs"
    features: FeatureModel = "similarity"

    def __post_init__(self) -> None:
        for name, known in (("method", METHODS), ("metric", METRICS), ("optimiser", OPTIMISERS)):
            if getattr(self, name) not in known:
                raise UsageError(
                    f"There is no {name} {getattr(self, name)!r}.",
                    hint=f"Known are {', '.join(known)}.",
                )
        if self.optimiser == "powell" and self.method == "bspline":
            raise UsageError(
                "Powell's method is of no use for the thousands of parameters of B-splines.",
                hint="Take --optimiser lbfgs or gradient.",
            )


@dataclass(frozen=True, slots=True)
class Fit:
    """The map from fixed to moving, how it was found, how well it fits, what was noticed."""

    transform: Transform
    quality: Quality
    trace: tuple[LevelTrace, ...]
    findings: tuple[Finding, ...]
    features: FeatureFit | None = None


def register_images(
    fixed: Image,
    moving: Image,
    *,
    settings: Settings | None = None,
    fixed_mask: Image | None = None,
    moving_mask: Image | None = None,
    start: Affine | None = None,
) -> Fit:
    """Find where each point of `fixed` lies in `moving`.

    Masks (on their scans' grids) say where to look. `start` replaces the search for a start.
    Raises UnusableInput (exit 4) for several volumes, a slice against a volume, an empty scan.
    The result never depends on the number of threads, nor on the order of the scans' axes.
    """
    chosen = settings or Settings()
    _require_comparable(fixed, moving, chosen.method)
    with ThreadPoolExecutor(2) as pool:
        prepared = list(
            pool.map(
                lambda pair: prepare(pair[0], steps_mm=STEPS_MM, mask=pair[1]),
                ((fixed, fixed_mask), (moving, moving_mask)),
            )
        )
    one, other = prepared
    if chosen.method in ("sift", "orb"):
        return _by_features(fixed, moving, one, other, chosen)
    even = (fixed_mask is None) == (moving_mask is None)
    first, back_mm = _there_and_back(one, other, chosen, start, even=even)
    transform: Transform = first.transform
    trace = first.trace
    findings = list(_orientation(fixed, moving))
    agreed = None if start is not None else first.agreement

    def judged(result: Transform) -> Quality:
        return replace(
            _best_seen(one, other, result), inconsistency_mm=back_mm, starts_agreed=agreed
        )

    quality = judged(transform)
    # What hardly overlaps cannot be bent into place, and has failed already.
    bends = chosen.method in ("bspline", "demons") and quality.overlap >= LITTLE_OVERLAP
    if bends:
        before = measure_quality(one.levels[-1], other.levels[-1], transform=transform)
        bend, more = _bent(one, other, first.transform, chosen)
        transform, trace = compose(bend, first.transform), trace + more
        quality = replace(judged(transform), folded=folded_share(one.levels[-1], bend))
        findings += about_bend(before, quality)
    findings += verdict(quality, bent=bends, unit=_unit(fixed))
    return Fit(transform, quality, trace, tuple(findings))


def _there_and_back(
    fixed: Prepared, moving: Prepared, chosen: Settings, start: Affine | None, *, even: bool
) -> tuple[LinearFit, float]:
    """The linear fit, and how far the fit in the other direction is from leading back (mm).

    With `even` chances both fits count alike, where they found one place.
    """
    linear: LinearMethod = "affine"  # what is bent begins with it
    for name in LINEAR_METHODS:
        linear = name if name == chosen.method else linear

    def fit(one: Prepared, other: Prepared, begin: Affine | None) -> LinearFit:
        return fit_linear(
            one,
            other,
            method=linear,
            metric=chosen.metric,
            optimiser=chosen.optimiser,
            start=begin,
        )

    with ThreadPoolExecutor(2) as pool:
        there = pool.submit(fit, fixed, moving, start)
        back = pool.submit(fit, moving, fixed, None if start is None else start.inverse())
        first, second = there.result(), back.result()
    points, _ = sample_points(fixed.levels[0], count=BACK_POINTS, seed=0)
    returned = compose(first.transform, second.transform).apply_to_points(points)
    apart = float(np.linalg.norm(returned - points, axis=1).mean())
    if even and apart < ONE_PLACE_MM:
        first = replace(first, transform=_middle(first.transform, second.transform))
    return first, apart


def _best_seen(fixed: Prepared, moving: Prepared, transform: Transform) -> Quality:
    """The quality, by blocks of the fixed scan or of the moving one, whichever finds more.

    Blocks of a skull have no counterpart in a brain without one, but those of the brain have.
    """
    ways = [(fixed, moving, transform)]
    if isinstance(transform, Affine):
        ways.append((moving, fixed, transform.inverse()))
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(
                lambda way: measure_quality(way[0].levels[-1], way[1].levels[-1], transform=way[2]),
                ways,
            )
        )
    best = max(found, key=lambda one: -1.0 if one.agreement is None else one.agreement)
    return replace(best, overlap=found[0].overlap)


def _middle(there: Affine, back: Affine) -> Affine:
    """Half-way between `there` and the inverse of `back`, which say the same with errors.

    It is nearer to the truth than either, and changing fixed and moving gives its inverse.
    """
    apart = Affine(there.inverse().matrix @ back.inverse().matrix)
    return Affine(there.matrix @ apart.half().matrix)


def _bent(
    fixed: Prepared, moving: Prepared, linear: Affine, chosen: Settings
) -> tuple[Transform, tuple[LevelTrace, ...]]:
    if chosen.method == "demons":
        return fit_demons(fixed, moving, linear=linear)
    return fit_bspline(
        fixed, moving, linear=linear, metric=chosen.metric, optimiser=chosen.optimiser
    )


def _by_features(
    fixed: Image, moving: Image, one: Prepared, other: Prepared, chosen: Settings
) -> Fit:
    assert chosen.method in ("sift", "orb")
    found = fit_features(fixed, moving, method=chosen.method, model=chosen.features)
    quality = _best_seen(one, other, found.transform)
    findings = (*_orientation(fixed, moving), *verdict(quality, bent=False, unit=_unit(fixed)))
    return Fit(found.transform, quality, (), findings, found)


def _require_comparable(fixed: Image, moving: Image, method: Method) -> None:
    for what, image in (("fixed", fixed), ("moving", moving)):
        if image.volumes > 1:
            raise UnusableInput(
                f"The {what} image holds {image.volumes} volumes, where one is needed.",
                hint="Choose one of them: leuko convert --volume.",
            )
    thin = [min(image.grid.shape) == 1 for image in (fixed, moving)]
    if thin[0] != thin[1]:
        raise UnusableInput(
            "One image is a single slice and the other a volume; they cannot be registered.",
            hint="Give two volumes or two slices.",
        )
    if thin[0] and method == "demons":
        raise UsageError(
            "Demons are for volumes; these are single slices.", hint="Take --method bspline."
        )
    if fixed.grid.sized != moving.grid.sized:
        raise UnusableInput(
            "One image has a size in millimetres and the other has pixels alone.",
            hint="Give two scans or two pictures.",
        )


def _unit(image: Image) -> str:
    return "mm" if image.grid.sized else "pixels"


def _orientation(fixed: Image, moving: Image) -> list[Finding]:
    unknown = [
        what
        for what, image in (("fixed", fixed), ("moving", moving))
        if not image.grid.oriented and image.grid.shape[2] > 1
    ]
    if not unknown:
        return []
    return [
        Finding(
            "registration.orientation_unknown",
            Severity.WARNING,
            f"The orientation of the {' and the '.join(unknown)} image is not in the file: a "
            "mirror image of it would be registered as well.",
            "Check left and right before you rely on the result.",
        )
    ]


def about_bend(before: Quality, after: Quality) -> list[Finding]:
    """What is wrong with a bend: it folds, or structures agree less than before it."""
    found = []
    if after.folded:
        found.append(
            Finding(
                "registration.folds",
                Severity.WARNING,
                f"The bending folds space in {after.folded:.2%} of the head.",
                "Take a linear method, or --metric mse or ncc for scans of the same contrast.",
            )
        )
    if None not in (before.agreement, after.agreement) and (
        cast(float, after.agreement) < cast(float, before.agreement) - DROP
    ):
        found.append(
            Finding(
                "registration.bend_worse",
                Severity.WARNING,
                f"Structures agree less after bending ({after.agreement:.0%}) than after the "
                f"affine map alone ({before.agreement:.0%}).",
                "Demons are for scans of the same contrast: take bspline, or a linear method.",
            )
        )
    return found
