"""Images and masks looked up on another grid."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.apply import KERNELS, apply_to_image, apply_to_mask
from leuko.registration.transforms import Affine, Composite

TURNED = Affine.rigid(degrees=(9, -14, 20), shift=(6, -9, 4), centre=(0, -10, 10))


def as_itk(image: Image) -> sitk.Image:
    out = sitk.GetImageFromArray(np.ascontiguousarray(image.data.T))
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.grid.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    out.SetSpacing(spacing.tolist())
    out.SetOrigin(affine[:3, 3].tolist())
    out.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    return out


@pytest.mark.parametrize("kernel", KERNELS)
def test_an_image_is_moved_as_simpleitk_moves_it(head: Image, kernel: str) -> None:
    from leuko.registration.itk import to_itk

    affine = np.diag([-3.0, 2.5, 3.0, 1.0])
    affine[:3, 3] = (80, -90, -70)
    onto = Grid((50, 60, 48), affine)
    ours = apply_to_image(head, transform=TURNED, onto=onto, kernel=kernel)  # type: ignore[arg-type]
    method = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear,
              "cubic": sitk.sitkBSpline3}[kernel]  # fmt: skip
    like = as_itk(Image(np.zeros(onto.shape, np.float32), onto))
    theirs = sitk.GetArrayFromImage(sitk.Resample(as_itk(head), like, to_itk(TURNED), method)).T
    different = np.abs(ours.data - theirs) > 1e-2
    assert different.mean() < (1e-3 if kernel == "nearest" else 1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_chain_looks_values_up_as_a_matrix_does(head: Image, kernel: str) -> None:
    one = apply_to_image(head, transform=TURNED, onto=head.grid, kernel=kernel)  # type: ignore[arg-type]
    two = apply_to_image(head, transform=Composite((TURNED,)), onto=head.grid, kernel=kernel)  # type: ignore[arg-type]
    assert (np.abs(one.data - two.data) > 1e-2).mean() < 1e-5


def test_memory_order_does_not_matter(head: Image) -> None:
    fortran = Image(np.asfortranarray(head.data), head.grid)
    one = apply_to_image(head, transform=TURNED, onto=head.grid)
    two = apply_to_image(fortran, transform=TURNED, onto=head.grid)
    assert np.array_equal(one.data, two.data)


def test_no_move_changes_nothing(head: Image) -> None:
    same = apply_to_image(head, transform=Affine.identity(), onto=head.grid)
    assert np.allclose(same.data, head.data, atol=1e-3)


@given(st.tuples(*[st.integers(-6, 6)] * 3))
@settings(max_examples=20, deadline=None)
def test_a_mask_shifted_by_whole_voxels_keeps_every_label(shift: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(4)
    data = np.zeros((20, 22, 24), np.int16)
    data[7:13, 7:15, 7:17] = rng.integers(0, 5, (6, 8, 10)) * 1000
    mask = Image(data, Grid(data.shape, np.diag([2.0, 1.5, 3.0, 1.0])))
    move = Affine.translation(np.multiply(shift, (2.0, 1.5, 3.0)))
    moved = apply_to_mask(mask, transform=move, onto=mask.grid)
    assert moved.data.dtype == np.int16
    assert np.array_equal(moved.data, np.roll(data, [-s for s in shift], axis=(0, 1, 2)))


def test_a_turned_label_map_holds_only_its_own_labels_and_volumes(head: Image) -> None:
    labels = np.digitize(head.data, (60, 350, 700)).astype(np.uint8) * 60
    moved = apply_to_mask(Image(labels, head.grid), transform=TURNED, onto=head.grid)
    assert set(np.unique(moved.data)) <= set(np.unique(labels))
    for label in (60, 120, 180):
        assert np.sum(moved.data == label) == pytest.approx(np.sum(labels == label), rel=0.03)


def test_bool_masks_stay_bool(head: Image) -> None:
    mask = Image(np.asarray(head.data > 300), head.grid)
    assert apply_to_mask(mask, transform=TURNED, onto=head.grid).data.dtype == np.bool_


def test_coarser_voxels_average_what_they_hold() -> None:
    rng = np.random.default_rng(5)
    fine = Image(
        rng.normal(100, 20, (40, 40, 40)).astype(np.float32),
        Grid.from_spacing((40,) * 3, (1, 1, 1)),
    )
    affine = np.diag([1.0, 1.0, 6.0, 1.0])
    affine[2, 3] = 2.5
    coarse = apply_to_image(fine, transform=Affine.identity(), onto=Grid((40, 40, 6), affine))
    assert coarse.data[5:-5, 5:-5].std() < 12  # 20 / sqrt(about 4 voxels)


def test_every_volume_of_a_series_is_moved(head: Image) -> None:
    two = Image(np.stack([head.data, 2 * head.data], axis=-1), head.grid, seconds=2.0)
    moved = apply_to_image(two, transform=TURNED, onto=head.grid)
    assert moved.data.shape == (*head.grid.shape, 2)
    assert moved.seconds == 2.0
    assert np.allclose(moved.data[..., 1], 2 * moved.data[..., 0], atol=1e-2)


def test_a_sheared_grid_is_welcome(head: Image) -> None:
    affine = head.grid.affine.copy()
    affine[0, 2] += 0.4
    sheared = Grid(head.grid.shape, affine)
    there = apply_to_image(head, transform=Affine.identity(), onto=sheared)
    back = apply_to_image(there, transform=Affine.identity(), onto=head.grid)
    inner = (slice(20, -20),) * 3
    assert np.corrcoef(back.data[inner].ravel(), head.data[inner].ravel())[0, 1] > 0.97


def test_an_unknown_kernel_is_refused(head: Image) -> None:
    with pytest.raises(ValueError, match="kernel is one of"):
        apply_to_image(head, transform=TURNED, onto=head.grid, kernel="magic")  # type: ignore[arg-type]
