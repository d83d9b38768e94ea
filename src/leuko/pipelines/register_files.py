"""Two files registered into a folder: images, transform, picture, curve and record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from leuko.errors import UsageError
from leuko.findings import Policy, gate
from leuko.formats.read import read, read_mask
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.pipelines.outputs import out_folder, writing
from leuko.pipelines.provenance import now
from leuko.pipelines.register import Registration, apply, register
from leuko.pipelines.register_record import REGISTER_JSON, to_json
from leuko.progress import Journal, Watcher, silent
from leuko.registration.apply import Kernel, apply_to_image
from leuko.registration.register import Settings
from leuko.registration.trace import LevelTrace
from leuko.registration.transform_files import load_transform, save_transform
from leuko.registration.transforms import Affine, Transform

__all__ = ["register_files"]

OF_PICTURES = ("grid.single_slice", "grid.size_unknown", "grid.orientation_unknown")


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
