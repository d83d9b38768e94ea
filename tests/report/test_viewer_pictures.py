"""Pictures of slices: true proportions, the sides where they belong, the same for every file."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pictures

from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.view import Overlay, Still, picture, view_scene
from leuko.report.montage import spread
from leuko.report.slices_png import slice_text, tile

SHAPE, SPACING = (40, 50, 12), (1.0, 1.0, 5.0)


def head(volumes: int = 1) -> Image:
    """A head with a bright block on the patient's left, in front, at the top."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    values = np.where(x**2 + y**2 + z**2 < 0.9, 100, 0).astype(np.int16)
    values[6:12, 32:38, 8:10] = 300
    data = values if volumes == 1 else np.stack([values + 40 * k for k in range(volumes)], axis=3)
    matrix = np.diag([*SPACING, 1.0])
    matrix[:3, 3] = (-20, -25, -27.5)
    return Image(data, Grid(SHAPE, matrix))


def block(image: Image) -> Image:
    return Image((image.data >= 300).astype(np.uint8), image.grid)


def turned(image: Image, order: Sequence[int], flips: Sequence[int]) -> Image:
    """The same scan with its axes in another order and direction."""
    matrix = image.grid.affine[:, [*order, 3]].copy()
    data = image.data.transpose(tuple(order))
    for axis, flip in enumerate(flips):
        if flip:
            data = np.flip(data, axis)
            matrix[:3, 3] += matrix[:3, axis] * (data.shape[axis] - 1)
            matrix[:3, axis] *= -1
    return Image(data, Grid((data.shape[0], data.shape[1], data.shape[2]), matrix))


def decoded(content: bytes) -> npt.NDArray[np.float64]:
    with Pictures.open(io.BytesIO(content)) as opened:
        return np.asarray(opened.convert("RGB"), np.float64)


def plain(image: Image, axis: int, index: int, **options: Any) -> npt.NDArray[np.float64]:
    shown, _ = view_scene(image, **options)
    return np.asarray(tile(shown, axis=axis, index=index, width=200, text=False), np.float64)


def centre(picture: npt.NDArray[np.float64], above: float) -> tuple[float, float]:
    """Row and column of what is bright, as shares of the picture; letters left out."""
    inner = picture[20:-20, 22:-22].mean(axis=2) > above
    rows, columns = np.nonzero(inner)
    return float(rows.mean() / inner.shape[0]), float(columns.mean() / inner.shape[1])


def test_every_order_of_axes_gives_the_same_pictures() -> None:
    """All 48, but for the file's own slice numbers, which are left out here."""
    image = head()
    expected = [plain(image, axis, SHAPE[axis] // 2, overlays=[block(image)]) for axis in range(3)]
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((0, 1), repeat=3):
            same = turned(image, order, flips)
            found = [plain(same, axis, SHAPE[axis] // 2, overlays=[block(same)])
                     for axis in range(3)]  # fmt: skip
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other)


def test_the_patients_left_is_right_unless_asked_otherwise() -> None:
    row, column = centre(plain(head(), 2, 9, window="150,300"), 200)
    assert column > 0.6
    assert row < 0.4, "the front is up"
    row, column = centre(plain(head(), 2, 9, window="150,300", neurological=True), 200)
    assert column < 0.4
    row, column = centre(plain(head(), 1, 35, window="150,300"), 200)
    assert column > 0.6
    assert row < 0.4, "the head is up"
    for neurological in (False, True):
        drawn = plain(head(), 0, 9, window="150,300", neurological=neurological)
        _, column = centre(drawn, 200)
        assert column < 0.4, "the front is left in sagittal pictures"


def test_pixels_have_the_proportions_of_the_body() -> None:
    shown, _ = view_scene(head())
    for axis, (across, up) in enumerate(((50, 60), (40, 60), (40, 50))):
        drawn = tile(shown, axis=axis, index=5, width=300)
        assert drawn.height == round(300 * up / across)


def test_overlays_are_outlined_or_filled_in_their_colour() -> None:
    image = head()
    overlay = Overlay(block(image), "block", "#00ff00")
    shown, _ = view_scene(image, overlays=[overlay])
    drawn = [
        np.asarray(tile(shown, axis=2, index=9, width=400, fill=fill)) for fill in (False, True)
    ]
    pure = [(one == (0, 255, 0)).all(axis=2).sum() for one in drawn]
    assert pure[0] > 100
    assert pure[1] == 0, "what is filled is still seen through"
    green = drawn[1][..., 1].astype(int) - drawn[1][..., 0]
    assert 0.5 * 60 * 60 < (green > 60).sum() < 1.5 * 60 * 60


def test_probabilities_have_a_scale_of_colours() -> None:
    image = head()
    shares = np.zeros(SHAPE, np.float32)
    shares[10:30, 10:40, 5] = np.linspace(0, 1, 30)
    before = plain(image, 2, 5)
    after = plain(image, 2, 5, overlays=[Image(shares, image.grid)])
    assert np.abs(after - before).max() > 100
    assert len(np.unique((after - before).reshape(-1, 3), axis=0)) > 20


def test_a_slice_is_named_by_the_files_index_and_by_its_place() -> None:
    image = turned(head(), (2, 0, 1), (1, 0, 1))
    shown, _ = view_scene(image)
    assert slice_text(shown, axis=2, index=9) == "Axial 2, S 17.5 mm"
    one = picture(image, still=Still(axis="axial", at="2"))
    assert picture(image, still=Still(axis="axial", at="17.5mm")) == one
    assert picture(image, still=Still(axis="axial", at="18.9 mm")) == one
    assert picture(image, still=Still(axis="axial", at="3")) != one


@pytest.mark.parametrize("at", ["12", "-1", "99mm", "2.5", "top"])
def test_slices_that_are_not_there_are_refused(at: str) -> None:
    with pytest.raises(UsageError):
        picture(head(), still=Still(axis="axial", at=at))


def test_without_sides_there_are_no_letters() -> None:
    image = head()
    blank = Image(image.data, Grid(SHAPE, image.grid.affine, oriented=False))
    seen, bare = plain(image, 2, 5), plain(blank, 2, 5)
    yellow = [((one[..., 0] > 200) & (one[..., 2] < 160)).sum() for one in (seen, bare)]
    assert yellow[0] > 20
    assert yellow[1] == 0


def test_a_picture_stays_upright(tmp_path: Path) -> None:
    pixels = np.zeros((60, 80), np.uint8)
    pixels[5:15, 8:30] = 255
    Pictures.fromarray(pixels).save(tmp_path / "p.png")
    image = read(tmp_path / "p.png")
    drawn = decoded(picture(image, still=Still(width=800)))
    assert drawn[100, 150].min() > 240
    assert drawn[400, 600].max() < 15


def test_a_montage_runs_over_the_slices_that_show_something() -> None:
    image = head()
    padded = np.zeros((40, 50, 30), np.int16)
    padded[:, :, 8:20] = image.data
    shown, _ = view_scene(Image(padded, Grid.from_spacing((40, 50, 30), SPACING)))
    places = spread(shown, axis=2, count=6)
    assert len(places) == 6
    assert 8 <= places[0] < places[-1] <= 19
    assert len(spread(shown, axis=2, count=400)) <= 12
    masked, _ = view_scene(image, overlays=[block(image)])
    assert spread(masked, axis=2, count=9) == [7, 8, 9, 10], (
        "what the overlay reaches, and one more"
    )
    sheet = decoded(picture(image, still=Still(montage=6)))
    assert 1500 < sheet.shape[1] <= 1600


def test_an_animation_runs_through_slices_or_volumes(tmp_path: Path) -> None:
    for image, frames in ((head(), 12), (head(volumes=4), 4)):
        picture(image, overlays=[block(head())], out=tmp_path / "a.gif")
        with Pictures.open(tmp_path / "a.gif") as opened:
            assert getattr(opened, "n_frames", 1) == frames
            assert opened.size == (512, round(512 * 50 / 40))
            opened.seek(frames // 2)
            values = np.asarray(opened.convert("RGB"), int)
        assert np.ptp(values[40:-40, 40:-40], axis=2).mean() < 12, "grey stays grey"


def test_volumes_of_a_series_can_be_chosen() -> None:
    image = head(volumes=3)
    first, last = (plain_volume(image, volume) for volume in (0, 2))
    assert last.mean() > first.mean() + 10
    with pytest.raises(UsageError, match="no volume 3"):
        picture(image, still=Still(volume=3))


def plain_volume(image: Image, volume: int) -> npt.NDArray[np.float64]:
    shown, _ = view_scene(image, window="150,300")
    return np.asarray(tile(shown, axis=2, index=5, width=100, volume=volume, text=False), float)


def test_an_overlay_with_other_axes_lies_where_it_belongs() -> None:
    image = head()
    same, findings = view_scene(image, overlays=[turned(block(image), (1, 2, 0), (0, 1, 1))])
    assert findings == ()
    np.testing.assert_array_equal(same.layers[0].values > 0, image.data >= 300)


def test_an_overlay_on_another_grid_is_resampled_and_that_is_said() -> None:
    image = head()
    coarse = Image(block(image).data[::2, ::2], Grid((20, 25, 12), image.grid.affine @ np.diag(
        [2.0, 2.0, 1.0, 1.0])))  # fmt: skip
    shown, findings = view_scene(image, overlays=[Overlay(coarse, "coarse")])
    assert [finding.code for finding in findings] == ["view.overlay_resampled"]
    overlap = (shown.layers[0].values > 0) & (image.data >= 300)
    assert overlap.sum() > 0.6 * (image.data >= 300).sum()


def test_overlays_that_cannot_be_placed_are_refused() -> None:
    image = head()
    far = np.eye(4)
    far[:3, 3] = 5000
    elsewhere = Image(np.ones((4, 4, 4), np.uint8), Grid((4, 4, 4), far))
    with pytest.raises(GridMismatch, match="nowhere"):
        view_scene(image, overlays=[elsewhere])
    blind = Image(np.ones((4, 4, 4), np.uint8), Grid((4, 4, 4), np.eye(4), oriented=False))
    with pytest.raises(GridMismatch, match="voxels"):
        view_scene(image, overlays=[blind])
    with pytest.raises(UnusableInput, match="volumes"):
        view_scene(image, overlays=[head(volumes=2)])


def test_a_saved_image_gives_the_picture_of_the_array(tmp_path: Path) -> None:
    write(head(), tmp_path / "head.nii.gz")
    assert decoded(picture(read(tmp_path / "head.nii.gz")))[:400].shape
