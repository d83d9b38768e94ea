"""The viewer's page as a text: whole, safe, offline; what it is fed is what the scan holds."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from leuko.errors import UsageError
from leuko.formats.read import read
from leuko.image.grid import Grid
from leuko.image.image import Image, Source
from leuko.report import viewer
from leuko.report.viewer_layers import layer
from leuko.report.viewer_scene import Scene, scene
from leuko.report.viewer_volumes import packed, reduction
from leuko.report.viewer_windows import HOUNSFIELD

ASSETS = resources.files("leuko.report") / "assets"
HOSTILE = "<script>alert('x')</script>\"onload=\"x&.nii.gz"


def image(shape: tuple[int, int, int] = (20, 24, 10), name: str = "scan.nii.gz") -> Image:
    values = np.random.default_rng(3).normal(100, 20, shape).astype(np.float32)
    return Image(values, Grid.from_spacing(shape, (1, 1, 3)), Source(name, "nifti1", "ab" * 32))


def ct(shape: tuple[int, int, int] = (20, 24, 10)) -> Image:
    values = np.full(shape, -1000, np.int16)
    values[5:15, 5:18] = 40
    values[8:10, 8:10] = 900
    return Image(values, Grid.from_spacing(shape, (1, 1, 3)))


def part(text: str, name: str, index: int = 0) -> str:
    found = re.findall(rf'<script type="[^"]*" data-part="{name}">(.*?)</script>', text, re.DOTALL)
    return str(found[index])


def facts(text: str) -> dict[str, object]:
    known: dict[str, object] = json.loads(part(text, "facts"))
    return known


def volume(text: str, folder: Path, index: int = 0) -> Image:
    target = folder / "volume.nii.gz"
    target.write_bytes(base64.b64decode(part(text, "volume", index)))
    return read(target)


def test_niivue_is_the_one_that_was_checked() -> None:
    about = json.loads((ASSETS / "niivue.json").read_text("utf-8"))
    content = (ASSETS / about["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == about["sha256"]
    assert about["version"] in (ASSETS / "niivue.md").read_text("utf-8")
    assert "Copyright (c) 2021, Niivue" in (ASSETS / "niivue-licences.txt").read_text("utf-8")
    assert b"WebAssembly" not in content


def test_the_page_names_nothing_outside_itself() -> None:
    text = viewer.page(scene(image()))
    head = text[: text.index("data-part")]
    assert "default-src &#39;none&#39;" in head
    assert "connect-src" not in text, "nothing may connect"
    rest = re.sub(r'data-part="(niivue|volume)">.*?</script>', "", text, flags=re.DOTALL)
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|<link|<iframe|<img|\bsrc=|href=", rest)
    assert "fetch(" not in rest
    assert "XMLHttpRequest" not in rest
    assert (
        gzip.decompress(base64.b64decode(part(text, "niivue")))
        == (ASSETS / "niivue.js").read_bytes()
    )


def test_hostile_names_stay_text() -> None:
    shown = scene(
        image(name=HOSTILE),
        layers=[layer(np.ones((20, 24, 10), np.uint8), name=HOSTILE, names={1: HOSTILE})],
    )
    text = viewer.page(shown, title=HOSTILE)
    assert "<script>alert" not in text
    assert 'onload="' not in text
    assert facts(text)["name"] == HOSTILE


def test_the_same_scene_gives_the_same_page() -> None:
    assert viewer.page(scene(image())) == viewer.page(scene(image()))


def test_an_embedded_viewer_is_a_part_without_a_page_around_it() -> None:
    text = viewer.embed(scene(image()))
    assert "<html" not in text
    assert "data-whole" not in text.split("<script", 1)[0]
    assert 'id="leuko-viewer"' in text


def test_values_arrive_as_they_are_or_finer_than_the_eye(tmp_path: Path) -> None:
    """Small integers exactly, real numbers within a thousandth of their range, volumes too."""
    real = image()
    again = volume(viewer.page(scene(real)), tmp_path)
    assert np.abs(again.data - real.data).max() <= np.ptp(real.data) / 60_000
    whole = ct()
    np.testing.assert_array_equal(volume(viewer.page(scene(whole)), tmp_path).data, whole.data)
    several = Image(np.stack([whole.data, whole.data + 5], axis=3), whole.grid)
    again = volume(viewer.page(scene(several)), tmp_path)
    np.testing.assert_array_equal(again.data, several.data)


def test_outliers_do_not_cost_the_rest_its_steps(tmp_path: Path) -> None:
    values = image().data.copy()
    values[0, 0, 0] = 1e7
    grid = Grid.from_spacing((20, 24, 10), (1, 1, 1))
    target = tmp_path / "v.nii.gz"
    target.write_bytes(base64.b64decode(packed(values, grid.spacing)))
    np.testing.assert_array_equal(read(target).data, values)


def test_labels_arrive_counted_with_the_values_they_have_in_the_file(tmp_path: Path) -> None:
    values = np.zeros((20, 24, 10), np.int32)
    values[:3], values[5:9], values[12:] = 7, 2035, 41
    made = layer(values, name="atlas", names={41: "White matter"})
    text = viewer.page(scene(image(), layers=[made]))
    shown = facts(text)["layers"]
    assert isinstance(shown, list)
    labels = shown[0]["labels"]
    assert [label["value"] for label in labels] == [7, 41, 2035]
    assert [label["name"] for label in labels] == ["atlas 7", "White matter", "atlas 2035"]
    assert [label["voxels"] for label in labels] == [3 * 240, 8 * 240, 4 * 240]
    assert len({label["colour"] for label in labels}) == 3
    assert shown[0]["editable"] is False, "2035 fits into no byte"
    assert set(np.unique(volume(text, tmp_path, 1).data)) == {0, 1, 2, 3}


def test_whole_numbers_are_labels_and_shares_are_a_map() -> None:
    shape = (20, 24, 10)
    mask = layer((np.indices(shape)[0] > 9).astype(np.float32), name="mask", colour="#00ff00")
    assert (mask.is_map, mask.editable, mask.labels[0].colour) == (False, True, "#00ff00")
    shares = layer(np.linspace(0, 1, 4800, dtype=np.float32).reshape(shape), name="probability")
    assert (shares.is_map, shares.limits) == (True, (0.05, 1.0))
    empty = layer(np.zeros(shape, np.uint8), name="nothing yet")
    assert (empty.editable, empty.labels[0].voxels) == (True, 0)


def windows_of(shown: Scene) -> dict[str, tuple[float, float]]:
    return {preset.key: (preset.window.low, preset.window.high) for preset in shown.presets}


def test_a_ct_has_windows_in_hounsfield_units_and_a_magnetic_resonance_image_has_none() -> None:
    shown = scene(ct())
    assert shown.hounsfield
    assert windows_of(shown)["brain"] == (0, 80)
    assert windows_of(shown)["bone"] == (-500, 1300)
    assert windows_of(shown)["lung"] == (-1350, 150)
    assert set(HOUNSFIELD) <= set(windows_of(shown))
    plain = scene(image())
    assert not plain.hounsfield
    assert not set(HOUNSFIELD) & set(windows_of(plain))
    assert next(iter(windows_of(plain))) == "auto"


def test_real_scans_are_told_apart(shared_data: Path) -> None:
    assert scene(read(shared_data / "tasks/ct/torso_ct.nii.gz")).hounsfield
    for name in ("wmh/tabriz/104252/flair.nii.gz", "contrasts/thick_flair_young/flair.nii.gz"):
        if (shared_data / name).exists():
            assert not scene(read(shared_data / name)).hounsfield


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("40,80", 0, 80), ("-600,1500", -1350, 150), ("brain", 0, 80), ("Bone", -500, 1300)],
)
def test_windows_can_be_named(text: str, low: float, high: float) -> None:
    window = scene(ct(), window=text).window
    assert (window.low, window.high) == (low, high)


def test_percentiles_are_those_of_the_values() -> None:
    values = np.arange(4800, dtype=np.float32).reshape(20, 24, 10)
    shown = scene(Image(values, Grid.from_spacing((20, 24, 10), (1, 1, 1))), window="p10,p90")
    assert shown.window.low == pytest.approx(480, abs=5)
    assert shown.window.high == pytest.approx(4320, abs=5)


@pytest.mark.parametrize("text", ["brian", "40", "40,-80", "p90,p10", "p5,p101"])
def test_what_is_no_window_is_refused_with_the_ones_there_are(text: str) -> None:
    with pytest.raises(UsageError, match="is no window") as caught:
        scene(image(), window=text)
    assert "p1,p99" in caught.value.hint


def test_an_image_of_one_value_can_be_shown() -> None:
    shown = scene(Image(np.zeros((4, 5, 6), np.int16), Grid.from_spacing((4, 5, 6), (1, 1, 1))))
    assert shown.window.high > shown.window.low
    assert "NaN" not in part(viewer.page(shown), "facts")


def test_what_is_too_large_for_a_browser_is_reduced_and_cannot_be_drawn_on() -> None:
    assert reduction((512, 512, 300), (0.5, 0.5, 1), volumes=1).whole
    assert reduction((5000, 300, 1), (1, 1, 1), volumes=1).factors == (3, 1, 1)
    assert reduction((1024, 1024, 400), (0.3, 0.3, 1.0), volumes=1).factors == (2, 2, 1)
    wide = Image(np.ones((4100, 8, 2), np.uint8), Grid.from_spacing((4100, 8, 2), (1, 1, 1)))
    mask = layer(wide.data, name="mask")
    known = facts(viewer.page(scene(wide, layers=[mask])))
    assert known["shape"] == [1366, 8, 2]
    assert known["maskHeader"] == ""


def canonical_matrix(shown: Scene) -> npt.NDArray[np.float64]:
    return shown.affine()[:3, :3] / np.linalg.norm(shown.affine()[:3, :3], axis=0)


def test_a_scene_runs_right_front_up_and_knows_how_oblique_it_is() -> None:
    angle = np.radians(20)
    matrix = np.array([[0, 0, -3, 9], [-np.cos(angle), np.sin(angle), 0, 4],
                       [np.sin(angle), np.cos(angle), 0, 2], [0, 0, 0, 1]])  # fmt: skip
    shown = scene(Image(np.zeros((5, 6, 7)), Grid((5, 6, 7), matrix)))
    assert shown.shape == (7, 5, 6)
    assert (np.diag(canonical_matrix(shown)) > 0.9).all()
    assert shown.degrees == pytest.approx(20, abs=0.01)
