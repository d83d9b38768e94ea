"""Pictures written: values as they are where that can be, shown as a radiologist sees a scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from leuko.errors import UsageError
from leuko.formats.losses import losses
from leuko.formats.pictures_out import shown_pages
from leuko.formats.read import read
from leuko.formats.registry import FORMATS
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical
from leuko.image.reorient import reorient

FLAT = Grid((7, 5, 1), np.eye(4), oriented=False, sized=False)
GREY = (np.arange(35, dtype=np.uint8) * 7).reshape(7, 5, 1)


def scan(shape: tuple[int, int, int] = (4, 5, 3)) -> Image:
    """A volume whose values tell where they lie: x + 10 y + 100 z, in RAS with thick slices."""
    x, y, z = np.indices(shape)
    return Image((x + 10 * y + 100 * z).astype(np.int16), Grid.from_spacing(shape, (1, 1, 5)))


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize(
    "values", [GREY, GREY.astype(np.uint16) * 200, GREY.astype(np.int32), GREY > 100]
)
def test_whole_numbers_come_back_as_they_were(
    tmp_path: Path, ending: str, values: npt.NDArray[Any]
) -> None:
    write(Image(values, FLAT), tmp_path / f"a.{ending}")
    back = read(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(back.data, values)
    assert back.grid == FLAT


def test_tiff_keeps_floats_and_all_slices(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(7, 5, 4)).astype(np.float32)
    grid = Grid((7, 5, 4), np.eye(4), oriented=False, sized=False)
    write(Image(values, grid), tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, values)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_what_a_picture_cannot_hold_is_scaled_and_said(tmp_path: Path, ending: str) -> None:
    values = np.linspace(-300, 5000, 35).reshape(7, 5, 1).astype(np.float32)
    image = Image(values, FLAT)
    name = "jpeg" if ending == "jpg" else ending
    assert "convert.scaled" in {finding.code for finding in losses(image, FORMATS[name])}
    write(image, tmp_path / f"a.{ending}")
    back = read(tmp_path / f"a.{ending}").data.astype(float)
    most = 65535 if ending == "png" else 255
    assert back.min() <= 0.02 * most
    assert back.max() >= 0.98 * most
    assert np.corrcoef(back.ravel(), values.ravel())[0, 1] > 0.999
    with pytest.raises(UsageError, match="does not store values of type float32"):
        write(image, tmp_path / f"a.{ending}", exact=True)


def test_a_scan_is_not_shown_black(tmp_path: Path) -> None:
    """Twelve bits in a picture of sixteen look black: scaled, unless asked otherwise."""
    values = np.linspace(0, 900, 35).reshape(7, 5, 1).astype(np.int16)
    image = Image(values, Grid.from_spacing((7, 5, 1), (1, 1, 5)))
    assert "convert.scaled" in {finding.code for finding in losses(image, FORMATS["png"])}
    write(image, tmp_path / "a.png")
    assert read(tmp_path / "a.png").data.max() == 65535
    write(image.with_data(values.astype(np.uint16)), tmp_path / "b.png", exact=True)
    assert read(tmp_path / "b.png").data.max() == 900
    labels = image.with_data((values > 450).astype(np.int16))
    write(labels, tmp_path / "c.png")
    assert read(tmp_path / "c.png").data.max() == 1


def test_the_loss_of_place_and_size_is_said() -> None:
    codes = {finding.code for finding in losses(scan((4, 5, 1)), FORMATS["png"])}
    assert {"convert.orientation", "convert.size"} <= codes
    assert not losses(Image(GREY, FLAT), FORMATS["png"])


def test_a_slice_is_shown_as_radiologists_see_it() -> None:
    """Axial: right on the left, front at the top; pages from the feet up."""
    image = scan()
    pages = shown_pages(image.data, image.grid)
    assert [page.shape for page in pages] == [(5, 4)] * 3
    assert pages[0][0, 0] == 3 + 10 * 4  # the patient's right, front
    assert pages[2][-1, -1] == 200  # left, back, top


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_the_axis_of_one_voxel_is_cut(cut: int) -> None:
    """Coronal: right on the left, head at the top; sagittal: front on the left, head at the top."""
    shape = [4, 5, 3]
    shape[cut] = 1
    image = scan((shape[0], shape[1], shape[2]))
    (page,) = shown_pages(image.data, image.grid)
    corner = {0: 10 * 4 + 100 * 2, 1: 3 + 100 * 2, 2: 3 + 10 * 4}[cut]
    assert page[0, 0] == corner
    assert page[-1, -1] == 0


@pytest.mark.parametrize("code", ["RAS", "LPI", "SAR", "PIL", "IRA"])
def test_the_picture_does_not_depend_on_the_order_of_axes(code: str) -> None:
    image = scan()
    turned = reorient(image, to=code)
    expected = shown_pages(image.data, image.grid)
    for page, truth in zip(shown_pages(turned.data, turned.grid), expected, strict=True):
        np.testing.assert_array_equal(page, truth)
    assert from_canonical(image.data, image.grid).shape == image.grid.shape


def test_png_and_jpeg_hold_one_slice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"PNG holds one slice, the image has 3\.") as caught:
        write(scan(), tmp_path / "a.png")
    assert "TIFF" in caught.value.hint
    several = Image(np.zeros((7, 5, 1, 2), np.uint8), FLAT)
    with pytest.raises(UsageError, match="one volume"):
        write(several, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_another_program_reads_what_is_written(tmp_path: Path) -> None:
    deep = Image(GREY.astype(np.uint16) * 200, FLAT)
    write(deep, tmp_path / "a.png")
    with Pillow.open(tmp_path / "a.png") as picture:
        assert picture.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(picture), deep.data[..., 0].T)


def test_a_real_slice_survives_the_round_trip(shared_data: Path, tmp_path: Path) -> None:
    truth = read(shared_data / "formats/images2d/gray16.png")
    write(truth, tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, truth.data)
