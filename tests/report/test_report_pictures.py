"""The pictures: which way round they are, their proportions, what is drawn on them."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pictures

from leuko.image.grid import Grid
from leuko.report.document import Picture
from leuko.report.planes import Scan, plane_letters, plane_of
from leuko.report.sheet import outline

CODES = [
    "".join(letters)
    for order in itertools.permutations(("RL", "AP", "SI"))
    for letters in itertools.product(*order)
]


def _outlined(picture: Picture) -> npt.NDArray[np.bool_]:
    """Pixels of any outline's colour."""
    pixels = np.asarray(Pictures.open(io.BytesIO(picture.data))).astype(int)
    return (pixels.max(axis=2) - pixels.min(axis=2)) > 60


def _named(case: Any, name: str) -> Picture:
    return next(picture for picture in case.document().pictures if picture.name == name)


@pytest.mark.parametrize("code", ["RAS", "LPS", "LAS", "RPI", "ASL", "SPR", "PIR", "ILA"])
def test_the_patients_left_is_on_the_right(make_case: Any, left_box: Any, code: str) -> None:
    picture = _named(make_case(left_box, code=code), "key")
    marked = _outlined(picture)
    half = picture.width // 2
    assert not marked[:, :half].any(), "the left panel is plain"
    rows, columns = np.nonzero(marked[:, half:])
    assert columns.mean() > 0.6 * half
    assert rows.mean() < 0.45 * picture.height, "the front is on top"


@pytest.mark.parametrize("code", ["RAI", "SPL"])
def test_other_orders_of_axes_give_the_same_pictures(
    make_case: Any, left_box: Any, code: str
) -> None:
    reference = [picture.data for picture in make_case(left_box).document().pictures]
    shown = make_case(left_box, code=code).document().pictures
    assert reference == [picture.data for picture in shown]


def test_all_48_orders_of_axes_are_one_scan(make_case: Any, left_box: Any) -> None:
    def scan(code: str) -> Scan:
        case = make_case(left_box, code=code)
        return Scan.of(
            case.image.data,
            labels=case.rest["labels"].data,
            classes=np.array([0, 3], np.uint8),
            brain=case.rest["anatomy"].data,
            grid=case.image.grid,
        )

    reference = scan("RAS")
    assert len(CODES) == 48
    for code in CODES:
        other = scan(code)
        assert np.array_equal(reference.data, other.data), code
        assert np.array_equal(reference.labels, other.labels), code
        assert (reference.window, reference.box, reference.ends, reference.spacing) == (
            other.window,
            other.box,
            other.ends,
            other.spacing,
        )


def test_planes_follow_the_radiological_convention() -> None:
    volume = np.zeros((3, 4, 5))
    volume[0, 3, 4] = 1  # left, anterior, superior
    assert plane_of(volume, axis=2, index=4)[0, -1] == 1  # top right
    assert plane_of(volume, axis=1, index=3)[0, -1] == 1  # top right
    assert plane_of(volume, axis=0, index=0)[0, 0] == 1  # top left: the front
    assert plane_of(volume, axis=2, index=4).shape == (4, 3)
    assert plane_letters(2) == ("right", "left")
    assert plane_letters(0) == ("anterior", "posterior")


def test_proportions_are_physical() -> None:
    data = np.zeros((40, 40, 40), np.float32)
    data[10:30, 10:30, 10:30] = 100
    grid = Grid.from_spacing(data.shape, (1.0, 2.0, 1.0))
    scan = Scan.of(
        data,
        labels=np.zeros(data.shape, np.uint8),
        classes=np.zeros(1, np.uint8),
        brain=None,
        grid=grid,
    )
    from leuko.report.figures import figures
    from leuko.report.wording import english

    key, *_ = figures(scan, grid=grid, slice_axis=2, peak=None, words=english())
    panel = (key.width - 12) / 2
    (x0, x1), (y0, y1), _ = scan.box
    expected = 2 * (y1 - y0 + 1) / (x1 - x0 + 1)
    height = min(expected, 1.35)  # a tall panel is made narrower, not cut
    assert key.height / panel == pytest.approx(expected, rel=0.02)
    assert key.height == pytest.approx(height * (1400 - 12) / 2, rel=0.02)


def test_an_outline_leaves_the_lesion_itself_visible() -> None:
    mask = np.zeros((20, 30), bool)
    mask[8:12, 10:16] = True
    line, (left, top) = outline(mask, size=(300, 200), thickness=2)
    drawn = np.zeros((200, 300), np.uint8)
    pixels = np.asarray(line)
    drawn[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    assert not drawn[85:115, 105:155].any(), "the inside is free"
    assert drawn[100, 96:100].max() > 200, "the line runs beside it"
    assert not drawn[:70].any()


def test_a_single_voxel_is_outlined() -> None:
    mask = np.zeros((20, 20), bool)
    mask[0, 19] = True  # in the corner, too
    line, _ = outline(mask, size=(60, 60), thickness=1.3)
    assert np.asarray(line).max() > 200


def test_no_lesion_no_outline(empty_page: Any) -> None:
    for picture in empty_page.pictures:
        assert not _outlined(picture).any(), picture.name


def test_without_orientation_no_letter_is_drawn(make_case: Any, left_box: Any) -> None:
    def corner(picture: Picture) -> int:
        pixels = np.asarray(Pictures.open(io.BytesIO(picture.data)).convert("L"))
        return int(pixels[8:48, 8:48].max())

    assert corner(_named(make_case(left_box), "key")) > 150
    assert corner(_named(make_case(left_box, oriented=False), "key")) < 40


def test_thick_slices_have_no_pictures_across_them(make_case: Any, left_box: Any) -> None:
    names = [picture.name for picture in make_case(left_box).document().pictures]
    assert names == ["key", "largest", "overview"]  # 3 mm slices


@pytest.mark.parametrize("shape", [(30, 30, 1), (1, 40, 40), (64, 3, 64)])
@pytest.mark.parametrize("slice_axis", [0, 1, 2])
def test_odd_shapes_and_constant_volumes_are_drawn(
    shape: tuple[int, int, int], slice_axis: int
) -> None:
    from leuko.report.figures import figures
    from leuko.report.wording import english

    grid = Grid.from_spacing(shape, (1.0, 1.0, 1.0))
    for value in (0.0, 7.0):
        scan = Scan.of(
            np.full(shape, value, np.float32),
            labels=np.zeros(shape, np.uint8),
            classes=np.zeros(1, np.uint8),
            brain=None,
            grid=grid,
        )
        assert figures(scan, grid=grid, slice_axis=slice_axis, peak=None, words=english())
