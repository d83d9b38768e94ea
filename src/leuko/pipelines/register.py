"""One scan brought into the space of another: images, transform, picture and quality."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from leuko.errors import UsageError
from leuko.findings import Finding, Policy, gate
from leuko.formats.read import read, read_mask
from leuko.formats.write import write
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.pipelines.outputs import out_folder, writing
from leuko.pipelines.provenance import name_of, now, program_version, sha_of
from leuko.progress import Journal, Step, Watcher, silent
from leuko.registration.apply import Kernel, apply_to_image, apply_to_mask
from leuko.registration.features import FeatureModel
from leuko.registration.metrics import MetricName
from leuko.registration.optimisers import OptimiserName
from leuko.registration.quality import Quality
from leuko.registration.register import Fit, Method, Settings, register_images
from leuko.registration.trace import LevelTrace
from leuko.registration.transform_files import load_transform, save_transform
from leuko.registration.transforms import Affine, Composite, Transform

__all__ = ["REGISTER_JSON", "Registration", "register", "register_files"]

REGISTER_JSON = "register.json"
OF_PICTURES = ("grid.single_slice", "grid.size_unknown", "grid.orientation_unknown")


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


def register_files(
    fixed: str | os.PathLike[str],
    moving: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    settings: Settings | None = None,
    interpolation: Kernel = "linear",
    mask: str | os.PathLike[str] | None = None,
    fixed_mask: str | os.PathLike[str] | None = None,
    moving_mask: str | os.PathLike[str] | None = None,
    start: str | os.PathLike[str] | None = None,
    transform: str | os.PathLike[str] | None = None,
    inverse: bool = False,
    series: tuple[str, str] = ("", ""),
    policy: Policy = Policy.DEFAULT,
    force: bool = False,
    watch: Watcher = silent,
) -> Registration:
    """Register two files into the folder `out`, or apply the given `transform` (or its inverse).

    Writes moved.nii.gz, transform.json and transform.tfm (with displacements: transform.h5),
    checkerboard.png, curve.svg, moved_mask.nii.gz where `mask` is given, and register.json.
    `series` names series of DICOM studies: fixed, moving.
    """
    if inverse and transform is None:
        raise UsageError(
            "--inverse needs a transform to turn round.", hint="Give it with --transform FILE."
        )
    began = now()
    paths = tuple(Path(p) for p in (fixed, moving, mask, transform, start) if p is not None)
    with out_folder(out, force=force, inputs=paths, marker=REGISTER_JSON) as folder:
        journal = Journal(watch)
        with journal.step("read"):
            given = None if transform is None else load_transform(Path(transform))
            begin = None if start is None else _linear(load_transform(Path(start)), Path(start))
            one, other = (
                _read(path, which, policy)
                for path, which in zip((fixed, moving), series, strict=True)
            )
            masks = [
                None if path is None else read_mask(path, policy=policy)
                for path in (mask, fixed_mask, moving_mask)
            ]
        if given is not None:
            used = given.inverse() if inverse else given
            done = apply(
                one, other, transform=used, interpolation=interpolation, mask=masks[0], watch=watch
            )
        else:
            done = register(
                one,
                other,
                **asdict(settings or Settings()),
                interpolation=interpolation,
                mask=masks[0],
                fixed_mask=masks[1],
                moving_mask=masks[2],
                start=begin,
                watch=watch,
            )
        with journal.step("write"):
            _write(done, one, other, folder)
        done = replace(done, steps=(journal.steps[0], *done.steps, *journal.steps[1:]))
        with writing(REGISTER_JSON):
            text = to_json(done, one, other, began=began, interpolation=interpolation)
            (folder / REGISTER_JSON).write_text(text, encoding="utf-8")
    return done


def to_json(
    done: Registration, fixed: Image, moving: Image, *, began: str, interpolation: str
) -> str:
    """What register.json holds."""
    settings = None if done.settings is None else asdict(done.settings)
    found = None if done.fit is None else done.fit.features
    content: dict[str, Any] = {
        "quality": None if done.quality is None else asdict(done.quality),
        "findings": [
            {"code": f.code, "severity": f.severity.value, "what": f.what, "hint": f.hint}
            for f in done.findings
        ],
        "transform": _summary(done.transform),
        "features": None
        if found is None
        else {
            "matches": found.matches,
            "inliers": found.inliers,
            "residual": found.residual_mm,
            "homography": None if found.homography is None else found.homography.tolist(),
        },
        "trace": [
            {"step_mm": level.step_mm, "stage": level.stage, "costs": list(level.costs)}
            for level in done.trace
        ],
        "steps": [{"name": step.name, "seconds": step.seconds} for step in done.steps],
        "provenance": {
            "program": "leuko",
            "version": program_version(),
            "time": began,
            "fixed_name": name_of(fixed.source),
            "fixed_sha256": sha_of(fixed.source),
            "moving_name": name_of(moving.source),
            "moving_sha256": sha_of(moving.source),
            "parameters": {"interpolation": interpolation, "registered": settings},
        },
    }
    return json.dumps(_finite(content), indent=2) + "\n"


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


def _read(path: str | os.PathLike[str], series: str, policy: Policy) -> Image:
    """A scan or a picture: single slices and sizes in pixels are welcome here."""
    image = read(path, series=series)
    if min(image.grid.shape) == 1:
        findings = tuple(f for f in image.findings if f.code not in OF_PICTURES)
        image = replace(image, findings=findings)
    gate(image.findings, policy=policy)
    return image


def _linear(transform: Transform, path: Path) -> Affine:
    if not isinstance(transform, Affine):
        raise UsageError(
            f"{path.name} bends; a registration begins from a linear transform.",
            hint="Give a rigid or affine transform with --start.",
        )
    return transform


def _write(done: Registration, fixed: Image, moving: Image, folder: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from leuko.report.checkerboard import checkerboard
    from leuko.report.descent import descent_curve

    with writing(folder.name), ThreadPoolExecutor(1) as pool:
        pending = [pool.submit(write, done.moved, folder / "moved.nii.gz", like=fixed)]
        if done.moved_mask is not None:
            pending.append(
                pool.submit(
                    write, done.moved_mask, folder / "moved_mask.nii.gz", like=fixed, labels=True
                )
            )
        save_transform(done.transform, folder / "transform.json")
        linear = isinstance(done.transform, Affine)
        save_transform(done.transform, folder / ("transform.tfm" if linear else "transform.h5"))
        if moving.volumes == 1 and fixed.volumes == 1:
            before = apply_to_image(moving, transform=Affine.identity(), onto=fixed.grid)
            picture = checkerboard(fixed, before, done.moved)
            (folder / "checkerboard.png").write_bytes(picture)
        if done.trace:
            levels = _levels(done.trace)
            curve = descent_curve(levels, label="cost after each iteration, level by level")
            (folder / "curve.svg").write_text(curve, encoding="utf-8")
        for written in pending:
            written.result()


def _levels(trace: Sequence[LevelTrace]) -> list[tuple[str, str, Sequence[float]]]:
    return [
        (f"{level.stage}, {level.step_mm:g} mm", "cost (lower is better)", level.costs)
        for level in trace
    ]


def _summary(transform: Transform) -> dict[str, Any]:
    """What a reader wants to know without opening the transform's file."""
    parts = transform.parts if isinstance(transform, Composite) else (transform,)
    linear = [part for part in parts if isinstance(part, Affine)]
    summary: dict[str, Any] = {
        "maps": "fixed to moving, RAS, mm",
        "parts": [type(part).__name__.lower() for part in parts],
    }
    if len(linear) == 1:
        summary |= {
            "matrix": linear[0].matrix.tolist(),
            "angle_degrees": linear[0].angle_degrees,
            "rigid": linear[0].is_rigid,
        }
    return summary


def _finite(value: Any) -> Any:
    """Numbers that JSON does not know as null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
