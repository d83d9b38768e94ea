"""Known moves of a synthetic head and of real scans are found; what cannot be found is flagged."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leuko.errors import UnusableInput, UsageError
from leuko.findings import Severity
from leuko.formats.read import read
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.apply import apply_to_image
from leuko.registration.deformation import BSpline, as_field
from leuko.registration.register import Fit, Settings, about_bend, register_images
from leuko.registration.transforms import Affine, Points, Transform

MOVE = Affine.rigid(degrees=(14, -10, 22), shift=(18, -12, 9), centre=(0, -12, 8))


def moved(image: Image, transform: Affine) -> Image:
    """What a scanner sees of the head after it moved, a little noisy."""
    away = apply_to_image(image, transform=transform.inverse(), onto=image.grid, kernel="cubic")
    noise = np.random.default_rng(0).normal(0, 10, away.data.shape).astype(np.float32)
    return Image(away.data + noise, image.grid)


def brain(image: Image) -> Points:
    return image.grid.to_world(np.argwhere(np.asarray(image.data) > 300)[::200])


def error_mm(found: Transform, truth: Transform, image: Image) -> float:
    points = brain(image)
    apart = found.apply_to_points(points) - truth.apply_to_points(points)
    return float(np.linalg.norm(apart, axis=1).mean())


def codes(fit: Fit) -> set[str]:
    return {finding.code for finding in fit.findings}


@pytest.mark.parametrize("metric", ["nmi", "mi", "ncc", "mse"])
def test_a_rigid_move_is_found_with_every_metric(head: Image, metric: str) -> None:
    fit = register_images(head, moved(head, MOVE), settings=Settings("rigid", metric))  # type: ignore[arg-type]
    assert isinstance(fit.transform, Affine)
    assert fit.transform.is_rigid
    assert error_mm(fit.transform, MOVE, head) < 0.3
    assert fit.quality.agreement is not None
    assert fit.quality.agreement > 0.9
    assert codes(fit) == set()


@pytest.mark.parametrize("optimiser", ["gradient", "powell"])
def test_a_shift_is_found_with_every_optimiser(head: Image, optimiser: str) -> None:
    shift = Affine.translation((12, -17, 8))
    asked = Settings("translation", optimiser=optimiser)  # type: ignore[arg-type]
    fit = register_images(head, moved(head, shift), settings=asked)
    assert error_mm(fit.transform, shift, head) < 0.5


def test_a_stretch_is_found_by_affine(head: Image) -> None:
    stretch = MOVE.matrix.copy()
    stretch[:3, :3] = stretch[:3, :3] @ (np.diag([1.07, 0.95, 1.04]) + 0.02)
    fit = register_images(head, moved(head, Affine(stretch)), settings=Settings("affine"))
    assert error_mm(fit.transform, Affine(stretch), head) < 0.4


def test_another_contrast_is_no_hindrance(head: Image, other_contrast: Image) -> None:
    fit = register_images(head, moved(other_contrast, MOVE))
    assert error_mm(fit.transform, MOVE, head) < 0.4
    assert codes(fit) == set()


def test_two_runs_give_the_same_bits_and_a_trace_that_falls(head: Image) -> None:
    away = moved(head, MOVE)
    one, two = register_images(head, away), register_images(head, away)
    assert one == two
    assert [level.step_mm for level in one.trace] == [8.0, 4.0, 2.0]
    assert all(level.costs[-1] <= level.costs[0] for level in one.trace)


def test_exchanging_the_scans_gives_the_inverse(head: Image) -> None:
    away = moved(head, MOVE)
    there, back = register_images(head, away).transform, register_images(away, head).transform
    assert error_mm(back.inverse(), there, head) < 1e-6


def head_radius() -> np.ndarray:
    """1 on the outside of the head's skull (see conftest.py)."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in (58, 67, 53)], indexing="ij")
    return np.asarray(np.sqrt((x / 0.68) ** 2 + (y / 0.75) ** 2 + (z / 0.66) ** 2))


def reordered(image: Image, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Image:
    """The same image with its array's axes permuted and turned round."""
    index = np.eye(4)
    index[:3, :3] = np.eye(3)[:, list(axes)]
    for new, flip in enumerate(flips):
        if flip:
            index[:3, 3] += index[:3, new] * (image.data.shape[axes[new]] - 1)
            index[:3, new] *= -1
    data = np.transpose(image.data, axes)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    return Image(np.ascontiguousarray(data), Grid(data.shape, image.grid.affine @ index))


def test_the_order_of_the_axes_changes_nothing(head: Image) -> None:
    away = moved(head, MOVE)
    plain = register_images(head, away).transform
    orders = list(itertools.product(itertools.permutations(range(3)),
                                    itertools.product((False, True), repeat=3)))  # fmt: skip
    for number, (axes, flips) in enumerate(orders[5::16]):
        scans = (reordered(head, axes, flips), away)
        if number % 2:
            scans = (head, reordered(away, axes, flips))
        found = register_images(*scans).transform
        assert error_mm(found, plain, head) < 1e-6


def test_an_oblique_fixed_scan_gives_the_same_world_transform(head: Image) -> None:
    away = moved(head, MOVE)
    plain = register_images(head, away).transform
    turn = Affine.rigid(degrees=(20, 15, -25), centre=(3, -12, 8))
    oblique = Grid(head.grid.shape, turn.matrix @ head.grid.affine)
    seen = apply_to_image(head, transform=Affine.identity(), onto=oblique, kernel="cubic")
    assert error_mm(register_images(seen, away).transform, plain, head) < 0.15


def test_masks_say_where_to_look(head: Image) -> None:
    """Half of the moving head is replaced by another thing; the mask leaves it out."""
    away = moved(head, MOVE)
    spoiled = np.array(away.data)
    spoiled[:, :, :20] = np.random.default_rng(3).uniform(0, 1500, spoiled[:, :, :20].shape)
    mask = np.zeros(head.grid.shape, np.uint8)
    mask[:, :, 28:] = 1
    fit = register_images(head, Image(spoiled, head.grid), fixed_mask=Image(mask, head.grid))
    assert error_mm(fit.transform, MOVE, head) < 0.6


def test_a_given_start_is_begun_from(head: Image) -> None:
    away = moved(head, MOVE)
    fit = register_images(head, away, start=Affine.rigid(degrees=(10, -8, 18), shift=(14, -9, 6)))
    assert error_mm(fit.transform, MOVE, head) < 0.3
    assert fit.quality.starts_agreed is None


def test_a_head_without_its_skull_is_found_and_not_doubted(head: Image) -> None:
    away = moved(head, MOVE)
    inner = np.asarray(apply_to_image(
        Image((head_radius() < 0.88).astype(np.float32), head.grid),
        transform=MOVE.inverse(),
        onto=head.grid,
    ).data) > 0.5  # fmt: skip
    brain_only = Image(np.where(inner, away.data, 0).astype(np.float32), head.grid)
    fit = register_images(head, brain_only)
    assert error_mm(fit.transform, MOVE, head) < 0.6
    assert codes(fit) == set()


def test_another_head_is_flagged(head: Image, other_head: Image) -> None:
    fit = register_images(head, moved(other_head, MOVE))
    assert codes(fit) & {"registration.failed", "registration.doubtful"}


def test_rubbish_is_flagged_as_failed(head: Image) -> None:
    rubbish = np.random.default_rng(1).uniform(0, 500, head.grid.shape).astype(np.float32)
    fit = register_images(head, Image(rubbish, head.grid))
    failed = [f for f in fit.findings if f.code == "registration.failed"]
    assert [f.severity for f in failed] == [Severity.REFUSAL]


def test_a_head_out_of_view_is_flagged(head: Image) -> None:
    """Only a corner of the head is left in the moving scan."""
    corner = np.asarray(head.data)[:27, :31, :25]
    fit = register_images(
        head, Image(np.ascontiguousarray(corner), Grid(corner.shape, head.grid.affine))
    )
    assert "registration.failed" in codes(fit)


@pytest.mark.parametrize("method", ["rigid", "bspline", "demons"])
def test_a_start_beyond_the_field_of_view_fails_without_a_crash(head: Image, method: str) -> None:
    far = Affine.translation((900, 0, 0))
    fit = register_images(head, head, settings=Settings(method), start=far)  # type: ignore[arg-type]
    assert "registration.failed" in codes(fit)
    assert fit.quality.overlap == 0


def bend() -> BSpline:
    affine = np.diag([40.0, 40.0, 40.0, 1.0])
    affine[:3, 3] = (-117, -132, -112)
    shifts = np.random.default_rng(8).normal(0, 5, (7, 7, 7, 3))
    return BSpline(shifts, Grid((7, 7, 7), affine))


@pytest.mark.parametrize("method", ["bspline", "demons"])
def test_a_bend_is_undone(head: Image, method: str) -> None:
    bent = apply_to_image(head, transform=as_field(bend(), onto=head.grid), onto=head.grid)
    asked = Settings(method, "ncc")  # type: ignore[arg-type]
    # What was bent by B is found again by T where B(T(x)) = x.
    fit = register_images(head, bent, settings=asked)
    points = brain(head)
    rest = bend().apply_to_points(fit.transform.apply_to_points(points)) - points
    before = bend().apply_to_points(points) - points
    assert np.linalg.norm(before, axis=1).mean() > 2.2
    assert np.linalg.norm(rest, axis=1).mean() < {"bspline": 0.9, "demons": 1.5}[method]
    assert fit.quality.folded == 0
    assert codes(fit) == set()


def test_a_bend_that_makes_it_worse_is_said(head: Image) -> None:
    """What demons between two contrasts do."""
    good = register_images(head, head).quality
    bad = replace(good, agreement=0.7, folded=0.02)
    said = {finding.code for finding in about_bend(good, bad)}
    assert said == {"registration.bend_worse", "registration.folds"}
    assert about_bend(good, replace(good, folded=0.0)) == []


def test_single_slices_stay_in_their_plane(head: Image) -> None:
    def middle(image: Image) -> Image:
        affine = image.grid.affine.copy()
        affine[:3, 3] = image.grid.to_world((0, 0, 27))
        data = np.ascontiguousarray(np.asarray(image.data)[:, :, 27:28])
        return Image(data, Grid(data.shape, affine))

    turn = Affine.rigid(degrees=(0, 0, 17), shift=(11, -8, 0), centre=(0, -12, 8))
    one, two = middle(head), middle(moved(head, turn))
    fit = register_images(one, two)
    assert error_mm(fit.transform, turn, one) < 0.5
    assert np.allclose(fit.transform.apply_to_points(brain(one))[:, 2], brain(one)[:, 2])


def test_what_cannot_be_compared_is_refused(head: Image) -> None:
    thin = np.asarray(head.data)[:, :, 30:31]
    single = Image(thin, Grid(thin.shape, head.grid.affine))
    series = Image(np.stack([head.data] * 2, axis=-1), head.grid)
    empty = Image(np.zeros(head.grid.shape, np.float32), head.grid)
    pictures = Image(head.data, replace(head.grid, sized=False))
    for other, said in ((single, "single slice"), (series, "2 volumes"), (empty, "too little"),
                        (pictures, "pixels alone")):  # fmt: skip
        with pytest.raises(UnusableInput, match=said):
            register_images(head, other)
    with pytest.raises(UsageError, match="Demons"):
        register_images(single, single, settings=Settings("demons"))


@pytest.mark.parametrize("wrong", [{"method": "magic"}, {"metric": "l3"}, {"optimiser": "luck"},
                                   {"method": "bspline", "optimiser": "powell"}])  # fmt: skip
def test_unknown_settings_are_usage_errors(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_an_unknown_orientation_is_said(head: Image) -> None:
    unknown = Image(head.data, replace(head.grid, oriented=False))
    assert "registration.orientation_unknown" in codes(register_images(unknown, head))


# ---------------------------------------------------------------- real scans


def test_t1_is_found_on_flair_and_another_persons_is_not(shared_data: Path) -> None:
    """Thick slices, the T1's array mirrored against the FLAIR's; and 2 mm scans."""
    for site, one, two in (("tabriz", "104252", "105755"), ("nichart", "Subj4", "Subj9")):
        flair = read(shared_data / f"wmh/{site}/{one}/flair.nii.gz")
        own = read(shared_data / f"wmh/{site}/{one}/t1.nii.gz")
        foreign = read(shared_data / f"wmh/{site}/{two}/t1.nii.gz")
        right, wrong = register_images(flair, own), register_images(flair, foreign)
        assert right.quality.agreement is not None
        assert right.quality.agreement > 0.8
        assert not any(code.startswith("registration.") for code in codes(right))
        assert "registration.failed" in codes(wrong)


def test_a_known_move_of_a_1_mm_scan_is_recovered_within_half_a_millimetre(
    shared_data: Path,
) -> None:
    flair = read(shared_data / "wmh/ljubljana/19/flair.nii.gz")
    t1 = read(shared_data / "wmh/ljubljana/19/t1.nii.gz")
    zero = register_images(flair, t1).transform
    move = Affine.rigid(degrees=(20, -16, 28), shift=(30, -24, 15), centre=(0, -20, 20))
    found = register_images(flair, moved(t1, move)).transform
    points = flair.grid.to_world(np.argwhere(np.asarray(flair.data) > 50)[::5000])
    truth = move.apply_to_points(zero.apply_to_points(points))
    apart = np.linalg.norm(found.apply_to_points(points) - truth, axis=1)
    assert apart.mean() < 0.5


def test_two_visits_with_different_slices_meet_and_lead_back(shared_data: Path) -> None:
    folder = shared_data / "wmh/ljubljana_long/patient01"
    one, two = read(folder / "visit1_flair.nii.gz"), read(folder / "visit2_flair.nii.gz")
    fit = register_images(one, two)
    assert fit.quality.agreement is not None
    assert fit.quality.agreement > 0.9
    assert fit.quality.inconsistency_mm is not None
    assert fit.quality.inconsistency_mm < 0.2
