"""Transforms written and read again, with SimpleITK as the judge of ITK's conventions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from leuko.errors import ReadError, UsageError
from leuko.image.grid import Grid
from leuko.registration.deformation import BSpline, DisplacementField
from leuko.registration.itk import from_itk, to_itk
from leuko.registration.transform_files import load_transform, save_transform
from leuko.registration.transforms import Affine, Transform, compose

LPS = np.array([-1.0, -1.0, 1.0])
POINTS = np.random.default_rng(0).uniform(-50, 50, (40, 3))


def oblique(shape: tuple[int, int, int], step: float) -> Grid:
    affine = Affine.rigid(degrees=(10, -20, 35), shift=(5, -8, 3)).matrix.copy()
    affine[:3, :3] *= step
    affine[:3, 3] -= affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Grid(shape, affine)


def rigid() -> Affine:
    return Affine.rigid(degrees=(12, -7, 30), shift=(10, -20, 5), centre=(0, -20, 10))


def field() -> DisplacementField:
    rng = np.random.default_rng(1)
    return DisplacementField(rng.normal(0, 3, (30, 31, 32, 3)).astype(np.float32),
                             oblique((30, 31, 32), 5.0))  # fmt: skip


def bend() -> BSpline:
    return BSpline(np.random.default_rng(2).normal(0, 4, (7, 8, 9, 3)), oblique((7, 8, 9), 22.0))


TRANSFORMS = {
    "rigid": rigid(),
    "field": field(),
    "bspline": bend(),
    "chain": compose(bend(), rigid(), field()),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_itk_moves_points_as_we_do_with_signs_of_x_and_y_changed(name: str) -> None:
    transform = TRANSFORMS[name]
    theirs = to_itk(transform)
    moved = np.array([theirs.TransformPoint(point) for point in (POINTS * LPS).tolist()]) * LPS
    assert np.abs(moved - transform.apply_to_points(POINTS)).max() < 1e-4


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("suffix", ["json", "h5", "tfm"])
def test_a_transform_survives_its_file(tmp_path: Path, name: str, suffix: str) -> None:
    transform, path = TRANSFORMS[name], tmp_path / f"t.{suffix}"
    save_transform(transform, path)
    moved = load_transform(path).apply_to_points(POINTS)
    assert np.abs(moved - transform.apply_to_points(POINTS)).max() < 1e-3


def test_a_displacement_field_is_itks_image_of_vectors(tmp_path: Path) -> None:
    path = tmp_path / "field.nii.gz"
    save_transform(field(), path)
    theirs = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))
    moved = np.array([theirs.TransformPoint(point) for point in (POINTS * LPS).tolist()]) * LPS
    assert np.abs(moved - field().apply_to_points(POINTS)).max() < 1e-3
    assert np.abs(load_transform(path).apply_to_points(POINTS) - moved).max() < 1e-3


@pytest.mark.parametrize(
    "theirs",
    [
        sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, -0.3, (4.0, 5.0, 6.0)),
        sitk.VersorRigid3DTransform((0.1, 0.2, 0.1, 0.969536), (4.0, 5.0, 6.0), (9.0, 8.0, 7.0)),
        sitk.TranslationTransform(3, (1.0, 2.0, 3.0)),
        sitk.Transform(3, sitk.sitkIdentity),
    ],
    ids=["euler", "versor", "translation", "identity"],
)
def test_itks_linear_transforms_are_read(theirs: sitk.Transform, tmp_path: Path) -> None:
    sitk.WriteTransform(theirs, str(tmp_path / "t.tfm"))
    ours = load_transform(tmp_path / "t.tfm")
    moved = np.array([theirs.TransformPoint(point) for point in (POINTS * LPS).tolist()]) * LPS
    assert np.abs(ours.apply_to_points(POINTS) - moved).max() < 1e-9


def test_itk_does_the_last_of_a_chain_first() -> None:
    chain = sitk.CompositeTransform(3)
    chain.AddTransform(sitk.TranslationTransform(3, (10.0, 0.0, 0.0)))
    chain.AddTransform(sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.0, 0.0, np.pi / 2))
    ours = from_itk(chain)
    expected = np.array(chain.TransformPoint((1.0, 0.0, 0.0))) * LPS
    assert np.allclose(ours.apply_to_points((-1.0, 0.0, 0.0)), expected)


def test_a_sheared_or_flat_grid_goes_to_itk_as_a_field() -> None:
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[0, 1] = 1.0
    affine[:3, 3] = -40
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, 22)] * 3, indexing="ij")
    smooth = np.stack([3 * y, 2 * z, -x], axis=-1).astype(np.float32)
    sheared = DisplacementField(smooth, Grid((22, 22, 22), affine))
    theirs = to_itk(sheared)
    inside = POINTS[(np.abs(POINTS) < 25).all(axis=1)]
    moved = np.array([theirs.TransformPoint(point) for point in (inside * LPS).tolist()]) * LPS
    assert np.abs(moved - sheared.apply_to_points(inside)).max() < 0.2


def written(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        {"format": "other", "version": 1, "parts": []},
        {"format": "leuko-transform", "version": 9, "parts": []},
        {"format": "leuko-transform", "version": 1, "parts": [{"kind": "affine", "matrix": [1]}]},
        {"format": "leuko-transform", "version": 1, "parts": [{"kind": "spiral"}]},
        {"format": "leuko-transform", "version": 1,
         "parts": [{"kind": "displacement", "file": "../other.nii.gz"}]},
        {"format": "leuko-transform", "version": 1,
         "parts": [{"kind": "bspline", "shape": [2, 2, 2], "affine": np.eye(4).tolist(),
                    "coefficients": [0.0]}]},
    ],
)  # fmt: skip
def test_a_broken_or_foreign_json_is_a_read_error(tmp_path: Path, content: object) -> None:
    with pytest.raises(ReadError):
        load_transform(written(tmp_path / "t.json", content))


def test_other_broken_files_are_read_errors(tmp_path: Path) -> None:
    for name in ("gone.json", "t.tfm", "t.nii.gz", "t.docx"):
        if name != "gone.json":
            written(tmp_path / name, "rubbish")
        with pytest.raises(ReadError):
            load_transform(tmp_path / name)
    sitk.WriteImage(sitk.Image(4, 4, 4, sitk.sitkUInt8), str(tmp_path / "grey.nii.gz"))
    with pytest.raises(ReadError, match="three numbers"):
        load_transform(tmp_path / "grey.nii.gz")


def test_what_a_suffix_cannot_hold_is_a_usage_error(tmp_path: Path) -> None:
    linear: Transform = rigid()
    for name in ("t.docx", "t.nii.gz"):
        with pytest.raises(UsageError):
            save_transform(linear, tmp_path / name)
