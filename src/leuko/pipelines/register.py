"""One scan brought into the space of another."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from leuko.findings import Finding
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.progress import Journal, Step, Watcher, silent
from leuko.registration.apply import Kernel, apply_to_image, apply_to_mask
from leuko.registration.features import FeatureModel
from leuko.registration.metrics import MetricName
from leuko.registration.optimisers import OptimiserName
from leuko.registration.quality import Quality
from leuko.registration.register import Fit, Method, Settings, register_images
from leuko.registration.trace import LevelTrace
from leuko.registration.transforms import Affine, Transform

__all__ = ["Registration", "apply", "register"]


@dataclass(frozen=True, slots=True)
class Registration:
    """The moving scan on the fixed scan's grid, and how it came there.

    transform: maps points of the fixed scan (RAS, mm) to points of the moving scan.
    quality: how well it fits; None where a given transform was only applied.
    moved_mask: the given mask (or label map) of the moving scan, brought along.
    """

    moved: Image
    transform: Transform
    settings: Settings | None
    quality: Quality | None
    trace: tuple[LevelTrace, ...]
    findings: tuple[Finding, ...]
    moved_mask: Image | None = None
    fit: Fit | None = None
    steps: tuple[Step, ...] = ()


def register(
    fixed: Image,
    moving: Image,
    *,
    method: Method = "rigid",
    metric: MetricName = "nmi",
    optimiser: OptimiserName = "lbfgs",
    features: FeatureModel = "similarity",
    interpolation: Kernel = "linear",
    mask: Image | None = None,
    fixed_mask: Image | None = None,
    moving_mask: Image | None = None,
    start: Affine | None = None,
    watch: Watcher = silent,
) -> Registration:
    """Bring `moving` onto the grid of `fixed`, and with it `mask` (by nearest label).

    `fixed_mask` and `moving_mask` say where to look, each on its scan's grid; `start` is a linear
    map to begin from. Whether it went well stands in `quality` and in `findings`
    (`registration.failed`, `registration.doubtful`), which raise nothing.
    """
    chosen = Settings(method, metric, optimiser, features)
    journal = Journal(watch)
    for name, region, scan in (
        ("fixed", fixed_mask, fixed),
        ("moving", moving_mask, moving),
        ("moving", mask, moving),
    ):
        if region is not None:
            require_same_grid(
                scan.grid, region.grid, what=f"The {name} scan", other_what="its mask"
            )
    with journal.step("register", **asdict(chosen)):
        fit = register_images(
            fixed,
            moving,
            settings=chosen,
            fixed_mask=fixed_mask,
            moving_mask=moving_mask,
            start=start,
        )
    done = _applied(fixed, moving, fit.transform, mask, interpolation, journal)
    return replace(
        done,
        settings=chosen,
        quality=fit.quality,
        trace=fit.trace,
        findings=(*done.findings, *fit.findings),
        fit=fit,
    )


def apply(
    fixed: Image,
    moving: Image,
    *,
    transform: Transform,
    interpolation: Kernel = "linear",
    mask: Image | None = None,
    watch: Watcher = silent,
) -> Registration:
    """Bring `moving` onto the grid of `fixed` by a transform that is there already."""
    if mask is not None:
        require_same_grid(moving.grid, mask.grid, what="The moving scan", other_what="its mask")
    return _applied(fixed, moving, transform, mask, interpolation, Journal(watch))


def _applied(
    fixed: Image,
    moving: Image,
    transform: Transform,
    mask: Image | None,
    interpolation: Kernel,
    journal: Journal,
) -> Registration:
    with journal.step("resample", interpolation=interpolation):
        moved = apply_to_image(moving, transform=transform, onto=fixed.grid, kernel=interpolation)
        along = None if mask is None else apply_to_mask(mask, transform=transform, onto=fixed.grid)
    findings = (*fixed.findings, *moving.findings, *(() if mask is None else mask.findings))
    unique = tuple(dict.fromkeys(findings))
    return Registration(moved, transform, None, None, (), unique, along, steps=journal.steps)
