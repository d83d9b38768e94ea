"""The viewer's page in a browser: it shows what the scan holds, and saves what was drawn."""

from __future__ import annotations

import base64
import io
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pictures
from viewer_chromium import BROWSER, Browser, browser

from leuko.formats.read import read, read_mask
from leuko.formats.write import write
from leuko.image.grid import Grid, require_same_grid
from leuko.image.image import Image
from leuko.pipelines.view import Overlay, view, view_scene
from leuko.report import viewer

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium here")

SHAPE = (26, 32, 14)
SPACING = (2.0, 1.5, 4.0)
CODES = ["RAS", "SPL", "ILA"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as driven:
        yield driven


def affine(code: str, *, turned: float = 0.0) -> npt.NDArray[np.float64]:
    """Axes towards the letters of `code`, turned about x and z by degrees."""
    matrix = np.zeros((4, 4))
    for axis, letter in enumerate(code):
        world = "RLAPSI".index(letter) // 2
        matrix[world, axis] = SPACING[world] * (1 if letter in "RAS" else -1)
    a, b = np.radians(turned), np.radians(0.6 * turned)
    about_x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    about_z = [[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]]
    matrix[:3, :3] = np.array(about_z) @ about_x @ matrix[:3, :3]
    matrix[:3, 3] = (-21.5, 13.25, 40.0)
    matrix[3, 3] = 1
    return matrix


def scan(code: str = "RAS", *, turned: float = 0.0, volumes: int = 1, seed: int = 1) -> Image:
    """A bright blob in a head; the values are all different, so that a voxel can be told."""
    lengths = [SHAPE["RLAPSI".index(letter) // 2] for letter in code]
    shape = (lengths[0], lengths[1], lengths[2])
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    noise = np.random.default_rng(seed).normal(0, 3, (*shape, volumes))
    values = np.where(radius < 0.9, 120.0, 5.0)[..., None] + noise
    values += 60 * np.arange(volumes)
    data = values.astype(np.int16)
    return Image(data if volumes > 1 else data[..., 0], Grid(shape, affine(code, turned=turned)))


def mask_of(image: Image) -> Image:
    values = np.zeros(image.grid.shape, np.uint8)
    values[6:9, 4:8, 5:7] = 1
    values[3, 3, 3] = 4
    return Image(values, image.grid)


def opened(page: Browser, folder: Path, image: Image, *overlays: Any, **options: Any) -> Browser:
    path = folder / "page.html"
    view(image, overlays=overlays, out=path, **options)
    page.open(path)
    return page


def grey(picture: bytes) -> npt.NDArray[np.float64]:
    with Pictures.open(io.BytesIO(picture)) as decoded:
        return np.asarray(decoded.convert("RGB"), np.float64)[:-30]


def test_the_page_starts_offline_without_a_word(page: Browser, tmp_path: Path) -> None:
    image = scan()
    opened(page, tmp_path, image, Overlay(mask_of(image), "Lesions"))
    assert page.problems() == []
    assert grey(page.pixels()).std() > 20, "something is shown"
    assert page.run("document.querySelector('.lv-message').textContent") == ""
    assert page.run("v.tiles().map((t) => t.axis).sort()") == [-1, 0, 1, 2]


def test_windows_overlays_sides_and_volumes_change_the_picture(
    page: Browser, tmp_path: Path
) -> None:
    image = scan(volumes=3)
    opened(page, tmp_path, image, Overlay(mask_of(image.volume(0)), "Lesions"))
    page.run("v.setLayout('axial')")
    first = grey(page.pixels())
    for script, undo in (
        ("v.setWindow([100, 140])", "v.setPreset('auto')"),
        ("v.root.querySelector('.lv-layer input[type=checkbox]').click()",) * 2,
        ("v.setConvention(false)", "v.setConvention(true)"),
        ("v.setVolume(2)", "v.setVolume(0)"),
    ):
        page.run(script)
        assert np.abs(grey(page.pixels()) - first).max() > 40, script
        page.run(undo)
        assert np.abs(grey(page.pixels()) - first).max() < 3, undo
    page.press("w")
    assert np.abs(grey(page.pixels()) - first).max() > 3, "the next window"
    assert page.problems() == []


def test_left_is_right_unless_asked_otherwise(page: Browser, tmp_path: Path) -> None:
    """A bright block on the left lies right in a radiological picture, with its letter."""
    image = scan("LPS")
    image.data[...] = 0
    image.data[18:24, 10:20, :] = 500  # the array's first axis runs to the left
    opened(page, tmp_path, image)
    page.run("v.setLayout('axial')")
    page.run("v.root.querySelector('[data-do=crosshair]').click()")
    letters = "[...v.root.querySelectorAll('.lv-left, .lv-right')].map((e) => e.textContent).join()"

    def side() -> float:
        shown = grey(page.pixels()).mean(axis=(0, 2))
        return float((shown * np.linspace(-1, 1, shown.size)).sum() / shown.sum())

    assert side() > 0.1
    assert page.run(letters) == "R,L"
    page.press("r")
    assert side() < -0.1
    assert page.run(letters) == "L,R"
    assert "L|R" in page.run("v.root.querySelector('.lv-convention').textContent")


@pytest.mark.parametrize(("code", "turned"), [("PSR", 24.0)])
def test_position_and_value_are_those_of_the_file(
    page: Browser, tmp_path: Path, code: str, turned: float
) -> None:
    image = scan(code, turned=turned)
    opened(page, tmp_path, image)
    page.run("v.goTo([7, 20, 5])")
    index, world, value = page.run(
        "[v.fileVoxel(v.here()), v.world(v.here()), v.valueAt(v.image, v.here())]"
    )
    assert value == image.data[tuple(index)]
    np.testing.assert_allclose(world, image.grid.to_world(index), atol=1e-6)
    told = page.run("[...v.root.querySelectorAll('.lv-status b')].map((e) => e.textContent)")
    place = [float(number) for number in told[0].replace("−", "-").split(",")]
    np.testing.assert_allclose(place, world, atol=0.051)
    assert told[1:] == [", ".join(map(str, index)), str(value).replace("-", "−")]


GRIDS = [*((code, 0.0) for code in CODES), ("LPS", 17.0), ("PSR", 38.0)]


@pytest.mark.parametrize(("code", "turned"), GRIDS)
def test_a_drawn_mask_has_the_grid_of_the_scan_and_the_voxels_that_were_drawn(
    page: Browser, tmp_path: Path, code: str, turned: float
) -> None:
    path, saved = tmp_path / "scan.nii.gz", tmp_path / "mask.nii"
    write(scan(code, turned=turned), path)
    image = read(path)
    mask = mask_of(image)
    opened(page, tmp_path, image, Overlay(mask, "Lesions"))
    content = page.run("""
        v.edit(v.layers[0])
        v.drawing.label = 2
        v.drawing.size = 0
        v.beginStroke(); v.stamp([9, 11, 6], 2, 2); v.stamp([0, 0, 0], 2, 1); v.endStroke()
        btoa(String.fromCharCode(...v.maskFile()))
    """)
    saved.write_bytes(base64.b64decode(content))
    again = read_mask(saved)
    require_same_grid(image.grid, again.grid, what="The scan", other_what="the mask")
    assert again.grid.shape == image.grid.shape
    np.testing.assert_array_equal(again.grid.affine, image.grid.affine)
    expected = mask.data.copy()
    for voxel, value in (([9, 11, 6], 4), ([0, 0, 0], 1)):
        index = page.run(f"v.fileVoxel({voxel})")
        np.testing.assert_allclose(
            page.run(f"v.world({voxel})"), image.grid.to_world(index), atol=1e-6
        )
        expected[tuple(index)] = value
    np.testing.assert_array_equal(again.data, expected)
    assert page.problems() == []


@pytest.mark.parametrize("kind", ["big-endian", "unoriented", "picture", "4D"])
def test_masks_of_odd_files_have_their_grid_too(
    page: Browser, tmp_path: Path, shared_data: Path, kind: str
) -> None:
    name = {
        "big-endian": "derived/big_endian.nii.gz",
        "unoriented": "derived/both_codes_0.nii.gz",
        "picture": "images2d/gray8.png",
        "4D": "nifti/functional.nii",
    }[kind]
    image = read(shared_data / "formats" / name)
    opened(page, tmp_path, image)
    size = page.run("v.facts.shape")
    voxel = [size[0] // 4, size[1] // 3, size[2] // 3]
    content = page.run(f"""
        await v.newMask()
        v.beginStroke(); v.stamp({voxel}, 2, 1); v.endStroke()
        btoa(Array.from(v.maskFile(), (byte) => String.fromCharCode(byte)).join(''))
    """)
    (tmp_path / "mask.nii").write_bytes(base64.b64decode(content))
    again = read(tmp_path / "mask.nii")
    assert again.grid.shape == image.grid.shape
    assert again.grid.oriented == image.grid.oriented
    np.testing.assert_allclose(again.grid.affine, image.grid.affine, atol=1e-6)
    assert [tuple(page.run(f"v.fileVoxel({voxel})"))] == [
        *zip(*np.nonzero(again.data), strict=True)
    ]


def test_the_mouse_draws_where_it_points_and_undo_takes_it_back(
    page: Browser, tmp_path: Path
) -> None:
    image = scan("PSR")
    opened(page, tmp_path, image)
    page.run("v.setLayout('coronal')")
    page.run("await v.newMask()")
    page.run("v.goTo([13, 20, 7])")
    places = page.run("""
        const box = v.root.querySelector('.lv-stage').getBoundingClientRect()
        const lines = [...v.root.querySelectorAll(".lv-cross")]
        const cross = lines.map((e) => e.getBoundingClientRect())
        const flat = cross.find((r) => r.height === 1), tall = cross.find((r) => r.width === 1)
        [tall.left, flat.top]
    """)
    page.mouse("mousePressed", *places)
    page.mouse("mouseReleased", *places)
    assert page.run("[...v.drawing.bitmap].flatMap((x, i) => (x ? [i] : []))") == [
        13 + 26 * (20 + 32 * 7)
    ], "the voxel under the crosshair"
    page.run("v.drawing.size = 9")
    page.mouse("mousePressed", places[0] + 60, places[1] - 40)
    page.mouse("mouseMoved", places[0] + 110, places[1] - 40)
    page.mouse("mouseReleased", places[0] + 110, places[1] - 40)
    before = page.run("v.layers[0].labels[0].voxels")
    assert before > 10
    assert page.run("[v.here(), v.layers[0].labels[0].voxels]")[0] == [13, 20, 7], (
        "it does not move"
    )
    page.press("z", modifiers=2)
    assert page.run("[...v.drawing.bitmap].filter(Boolean).length") == 1
    page.press("y", modifiers=2)
    assert page.run("[...v.drawing.bitmap].filter(Boolean).length") == before
    assert page.problems() == []


def test_outlines_are_filled_and_holes_too(page: Browser, tmp_path: Path) -> None:
    opened(page, tmp_path, scan())
    page.run("await v.newMask()")
    page.run("""
        v.beginStroke()
        v.fillOutline([[4.6, 4.6, 3], [10.4, 4.6, 3], [10.4, 9.4, 3], [4.6, 9.4, 3]], 2, 3, 1)
        v.endStroke()
    """)
    size = "[...v.drawing.bitmap].filter(Boolean).length"
    assert page.run(size) == 6 * 5
    page.run("""
        v.beginStroke(); v.stamp([7, 7, 3], 2, 0); v.endStroke();
        v.goTo([1, 1, 3])
    """)
    assert page.run(size) == 29
    page.run("v.fillHoles(2, 3)")
    assert page.run(size) == 30


def test_n_goes_from_one_area_of_a_mask_to_the_next(page: Browser, tmp_path: Path) -> None:
    image = scan("SPL")
    opened(page, tmp_path, image, Overlay(mask_of(image), "Lesions"))
    seen = []
    for _ in range(3):
        page.press("n")
        seen.append(tuple(page.run("v.fileVoxel(v.here())")))
        assert mask_of(image).data[seen[-1]] > 0
    assert seen[0] != seen[1] == (3, 3, 3)
    assert seen[2] == seen[0]
    assert "1 of 2" in page.run("v.root.querySelector('.lv-labels').textContent")


def test_the_saved_file_is_a_whole_nii_gz(page: Browser, tmp_path: Path) -> None:
    image = scan("AIR")
    mask = mask_of(image)
    opened(page, tmp_path, image, Overlay(mask, "wmh"))
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.press("d")
    page.run("""
        v.beginStroke(); v.stamp([2, 2, 2], 2, 1)
        v.endStroke()
    """)
    page.press("s", modifiers=2)
    target = tmp_path / "wmh_corrected.nii.gz"
    end = time.monotonic() + 20
    while not target.exists() and time.monotonic() < end:
        time.sleep(0.05)
    again = read_mask(target)
    np.testing.assert_allclose(again.grid.affine, image.grid.affine)
    assert np.count_nonzero(again.data != mask.data) == 1


def test_every_order_of_axes_shows_the_same_view(page: Browser, tmp_path: Path) -> None:
    """The page is fed shown axes: what differs is where a voxel stands in the file."""
    image = scan()
    shown = set()
    for order in list(itertools.permutations(range(3)))[::3]:
        data = image.data.transpose(order)[::-1, :, ::-1]
        matrix = image.grid.affine[:, [*order, 3]].copy()
        for axis in (0, 2):
            matrix[:3, 3] += matrix[:3, axis] * (data.shape[axis] - 1)
            matrix[:3, axis] *= -1
        turned = Image(data, Grid((data.shape[0], data.shape[1], data.shape[2]), matrix))
        opened(page, tmp_path, turned)
        page.run("v.setLayout('mpr')")
        shown.add(
            page.run("""
            v.nv.drawScene()
            v.nv.canvas.toDataURL()
        """)
        )
    assert len(shown) == 1


def test_one_flat_slice_has_one_plane(page: Browser, tmp_path: Path) -> None:
    """Oriented or not: a sagittal slice is shown as one, a picture as it is."""
    values = np.zeros((30, 1, 20), np.uint8)
    values[2:8, 0, 15:18] = 200  # of a file whose first axis runs back, third up
    grid = Grid((30, 1, 20), affine("PRS"))
    opened(page, tmp_path, Image(values, grid))
    assert page.run("[v.layout, v.tiles().length]") == ["sagittal", 1]
    shown = grey(page.pixels()).sum(axis=2)
    rows, columns = np.nonzero(shown > 500)
    assert columns.mean() < shown.shape[1] / 2, "the front is left"
    assert rows.mean() < shown.shape[0] / 2, "the head is up"
    upright = np.zeros((40, 30, 1), np.uint8)
    upright[:8, :6] = 255
    opened(page, tmp_path, Image(upright, Grid((40, 30, 1), np.eye(4), False, False)))
    shown = grey(page.pixels()).sum(axis=2)
    rows, columns = np.nonzero(shown > 740)
    assert columns.mean() < shown.shape[1] / 2
    assert rows.mean() < shown.shape[0] / 2
    assert page.run("v.root.querySelector('.lv-letter')") is None
    assert page.problems() == []


def test_inside_another_page_it_waits_until_it_is_seen_and_leaves_keys_and_wheel_alone(
    page: Browser, tmp_path: Path
) -> None:
    shown, _ = view_scene(scan())
    head = f'<meta http-equiv="Content-Security-Policy" content="{viewer.POLICY}">'
    text = "<p style='height: 4000px'>Report</p>"
    (tmp_path / "report.html").write_text(f"<html>{head}<body>{text}{viewer.embed(shown)}{text}")
    page.events.clear()
    page.call("Page.navigate", url=(tmp_path / "report.html").as_uri())
    end = time.monotonic() + 20
    while not page.run("v && true") and time.monotonic() < end:
        time.sleep(0.02)
    assert page.run("[v.ready, v.nv]") == [False, None]
    page.run("v.root.scrollIntoView()")
    while not page.run("v.ready") and time.monotonic() < end:
        time.sleep(0.05)
    before = page.run("v.here()")
    page.press("ArrowUp")
    assert page.run("v.here()") == before
    page.mouse("mousePressed", 120, 200)
    page.mouse("mouseReleased", 120, 200)
    before = page.run("v.here()")
    page.press("ArrowUp")
    assert page.run("v.here()") != before
    assert page.problems() == []
