"""Every writer: any affine, values, types; whole or not at all; what is lost is said."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest
import SimpleITK
from axis_orders import ORDERS, image_in
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leuko.errors import OutOfResources, UsageError
from leuko.formats.casting import cast
from leuko.formats.labels import label_table
from leuko.formats.losses import losses
from leuko.formats.read import read
from leuko.formats.registry import FORMATS, PICTURES
from leuko.formats.write import files_of, format_to_write, write
from leuko.image.grid import Grid
from leuko.image.image import Image

NAMES = ("a.nii.gz", "a.hdr", "a.nrrd", "a.nhdr", "a.mha", "a.mhd", "a.mgz", "a.mnc")
TRUTH = image_in(ORDERS[5])
PLAIN = Grid((2, 3, 4), np.diag([1.0, 2.0, 3.0, 1.0]))


@st.composite
def affines(draw: st.DrawFn, *, shear: float = 0.2) -> Any:
    """Any rotation, voxel size, mirroring, order of axes and, a little, shear."""
    q = np.array(draw(st.tuples(*[st.floats(-1, 1)] * 4)))
    q = q / np.linalg.norm(q) if np.linalg.norm(q) > 0.1 else np.array([1.0, 0, 0, 0])
    a, b, c, d = q
    cross = np.array([[0, -d, c], [d, 0, -b], [-c, b, 0]])
    turn = np.eye(3) + 2 * a * cross + 2 * cross @ cross
    bend = np.eye(3)
    bend[0, 1], bend[0, 2] = draw(st.tuples(*[st.floats(-shear, shear)] * 2))
    signs = np.array(draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3)))
    spacing = np.array(draw(st.tuples(*[st.floats(0.4, 10)] * 3)))
    affine = np.eye(4)
    affine[:3, :3] = (turn @ bend * spacing * signs)[:, draw(st.permutations(range(3)))]
    affine[:3, 3] = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    return affine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("writers")


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(data=st.data(), affine=affines())
def test_places_and_values_survive_any_format(
    folder: Path, name: str, data: st.DataObject, affine: Any
) -> None:
    kind = data.draw(st.sampled_from(["u1", "i2", "f4"]))
    shape = data.draw(st.tuples(*[st.integers(2, 5)] * 3))
    values = data.draw(
        hnp.arrays(kind, shape, elements=st.floats(-1e6, 1e6, width=32) if kind == "f4" else None)
    )
    truth = Image(values, Grid(shape, affine))
    write(truth, folder / name)
    image = read(folder / name)
    np.testing.assert_array_equal(image.data, values)
    assert image.data.dtype == values.dtype
    assert image.grid.corner_distance(truth.grid) < 1e-3
    assert image.grid.oriented


@pytest.mark.parametrize("name", NAMES)
def test_the_same_call_writes_the_same_bytes(tmp_path: Path, name: str) -> None:
    contents = []
    for _ in range(2):
        write(TRUTH, tmp_path / name)
        contents.append([(tmp_path / part).read_bytes() for part in files_of(name)])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("name", ["a.nii.gz", "a.hdr", "a.nrrd", "a.mha", "a.mgz"])
def test_unknown_orientation_stays_unknown(tmp_path: Path, name: str) -> None:
    grid = Grid((2, 3, 4), np.diag([1.0, 2.0, 3.0, 1.0]), oriented=False)
    write(Image(np.zeros((2, 3, 4), np.uint8), grid), tmp_path / name)
    image = read(tmp_path / name)
    assert not image.grid.oriented
    assert image.grid.spacing == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
def test_an_unknown_size_stays_unknown(tmp_path: Path, name: str) -> None:
    grid = Grid((5, 4, 1), np.eye(4), oriented=False, sized=False)
    write(Image(np.zeros((5, 4, 1), np.uint8), grid), tmp_path / name)
    assert not read(tmp_path / name).grid.sized


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("name", [*NAMES, "b.hdr"])
def test_every_type_is_kept_on_request_or_refused(tmp_path: Path, name: str, kind: str) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(kind)
    format = "analyze" if name == "b.hdr" else ""
    record = format_to_write(name, format=format)
    if kind not in record.types:
        with pytest.raises(UsageError, match="does not store values of type"):
            write(Image(values, PLAIN), tmp_path / name, exact=True, format=format)
        return
    write(Image(values, PLAIN), tmp_path / name, exact=True, format=format)
    image = read(tmp_path / name)
    np.testing.assert_array_equal(image.data, values)
    assert image.data.dtype == (np.float32 if kind == "f8" else np.dtype(kind))


@pytest.mark.parametrize("name", NAMES)
def test_whole_numbers_find_a_type_that_holds_them(tmp_path: Path, name: str) -> None:
    for values in ([0, 1], [-5, 300], [0, 60000], [-(2**31), 2**31 - 1]):
        data = np.resize(np.array(values, np.int64), (2, 3, 4))
        write(Image(data, PLAIN), tmp_path / name)
        np.testing.assert_array_equal(read(tmp_path / name).data, data)


def test_a_pair_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.hdr", "a.nhdr", "a.mhd"):
        write(TRUTH, tmp_path / name)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    original = Path.open
    opened = []

    def full(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "x" in mode:
            opened.append(self)
            if len(opened) % 2 == 0:
                raise OSError(errno.ENOSPC, "full")
        return original(self, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", full)
    for name in ("a.hdr", "a.nhdr", "a.mhd"):
        with pytest.raises(OutOfResources):
            write(TRUTH.with_data(TRUTH.data + 1), tmp_path / name)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# ------------------------------------------------------------------ NIfTI's versions


def test_nifti_2_only_where_it_is_needed_or_asked_for(tmp_path: Path) -> None:
    def version(path: Path) -> str:
        source = read(path).source
        assert source is not None
        return source.format

    write(TRUTH, tmp_path / "a.nii")
    assert version(tmp_path / "a.nii") == "nifti1"
    write(TRUTH, tmp_path / "b.nii", version=2)
    assert version(tmp_path / "b.nii") == "nifti2"
    write(read(tmp_path / "b.nii"), tmp_path / "c.nii", version=1)
    assert version(tmp_path / "c.nii") == "nifti1"
    assert read(tmp_path / "c.nii").grid.corner_distance(TRUTH.grid) < 1e-4
    long = Image(np.zeros((40000, 1, 2), np.uint8), Grid.from_spacing((40000, 1, 2), (1, 1, 1)))
    write(long, tmp_path / "d.nii.gz")
    assert version(tmp_path / "d.nii.gz") == "nifti2"
    with pytest.raises(UsageError, match="does not fit into NIfTI-1"):
        write(long, tmp_path / "e.nii", version=1)


def test_volumes_on_the_grid_of_a_3d_scan_keep_its_header(tmp_path: Path) -> None:
    write(TRUTH, tmp_path / "scan.nii")
    scan = read(tmp_path / "scan.nii")
    data = np.stack([TRUTH.data, TRUTH.data + 1], axis=-1)
    write(data, tmp_path / "two.nii", like=scan)
    image = read(tmp_path / "two.nii")
    assert image.grid == scan.grid
    np.testing.assert_array_equal(image.data, data)


# ------------------------------------------------------------------ 3D Slicer's segmentations


def test_a_segmentation_names_and_bounds_each_label(tmp_path: Path) -> None:
    data = np.zeros((4, 5, 6), np.uint8)
    data[1:3, 2, 3:5] = 1
    data[0, 0, 0] = 7
    path = tmp_path / "a.seg.nrrd"
    table = label_table({1: "White matter hyperintensity", 7: "Ventricle"}, {1: (255, 0, 51)})
    write(TRUTH.with_data(data), path, labels=True, names=table)
    values, header = nrrd.read(str(path))
    np.testing.assert_array_equal(values, data)
    assert header["Segment0_Name"] == "White matter hyperintensity"
    assert header["Segment0_ID"] == "Segment_1"
    assert header["Segment0_LabelValue"] == "1"
    assert header["Segment0_Layer"] == "0"
    assert header["Segment0_Extent"] == "1 2 2 2 3 4"
    assert header["Segment0_Color"] == "1 0 0.2"
    assert header["Segment1_Name"] == "Ventricle"
    assert header["Segment1_Extent"] == "0 0 0 0 0 0"
    assert header["Segmentation_ReferenceImageExtentOffset"] == "0 0 0"
    assert header["Segmentation_MasterRepresentation"] == "Binary labelmap"
    assert header["space"] == "left-posterior-superior"
    theirs = SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(theirs).T, data)
    assert theirs.GetMetaData("Segment1_Name") == "Ventricle"


def test_labels_without_a_name_become_segments_too(tmp_path: Path) -> None:
    data = np.zeros((4, 5, 6), np.int32)
    data[0] = 300
    write(TRUTH.with_data(data), tmp_path / "a.seg.nrrd", names={2: "absent"})
    _, header = nrrd.read(str(tmp_path / "a.seg.nrrd"))
    assert header["Segment0_Extent"] == "0 -1 0 -1 0 -1"
    assert header["Segment1_Name"] == "Label 300"
    assert header["type"] == "int16"


@pytest.mark.parametrize(
    "values", [np.full((4, 5, 6), 0.5), np.full((4, 5, 6), -1), np.full((4, 5, 6), 40000)]
)
def test_what_is_no_label_map_is_no_segmentation(tmp_path: Path, values: Any) -> None:
    with pytest.raises(UsageError, match="labels from 0 to 32767"):
        write(TRUTH.with_data(values), tmp_path / "a.seg.nrrd")


def test_several_volumes_are_no_segmentation(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has one volume"):
        write(image_in(ORDERS[0], volumes=2), tmp_path / "a.seg.nrrd")


# ------------------------------------------------------------------ what is lost


def lost(image: Image, format: str) -> set[str]:
    return {finding.code for finding in losses(image, FORMATS[format])}


def test_analyze_loses_orientation_and_time() -> None:
    assert lost(TRUTH, "analyze") == {"convert.orientation"}
    series = image_in(ORDERS[0], volumes=2)
    assert lost(series, "analyze") == {"convert.orientation", "convert.seconds"}


def test_other_formats_lose_nothing_of_an_ordinary_image() -> None:
    for name, record in FORMATS.items():
        if record.writer and name not in {"analyze", *PICTURES}:
            assert lost(image_in(ORDERS[0], volumes=2), name) == set()


def test_what_must_be_invented_is_said() -> None:
    grid = Grid((5, 4, 1), np.eye(4), oriented=False, sized=False)
    picture = Image(np.zeros((5, 4, 1), np.uint8), grid)
    assert lost(picture, "minc2") == {"convert.orientation_invented", "convert.size_invented"}
    assert lost(picture, "nifti1") == {"convert.size_invented"}
    assert lost(picture, "nrrd") == set()


def test_large_whole_numbers_are_lost_where_only_floats_hold_them() -> None:
    large = Image(np.full((2, 3, 4), 2**40 + 1), PLAIN)
    assert lost(large, "mgh") == {"convert.precision"}
    assert lost(large, "nrrd") == set()
    assert lost(large, "analyze") == {"convert.orientation"}  # float64 holds them


@pytest.mark.parametrize(
    ("to", "values"), [("uint8", [0, 256]), ("int8", [-129]), ("uint16", [-1])]
)
def test_values_that_do_not_fit_a_type_are_refused_not_cut(to: str, values: list[int]) -> None:
    with pytest.raises(UsageError, match="do not fit into"):
        cast(np.array(values), to=to)


def test_rounding_is_said() -> None:
    values, findings = cast(np.array([0.4, 1.6], np.float32), to="uint8")
    assert values.tolist() == [0, 2]
    assert {finding.code for finding in findings} == {"convert.rounded"}
    assert cast(np.array([0.0, 2.0]), to="int16")[1] == ()
    with pytest.raises(UsageError, match="no type"):
        cast(np.zeros(2), to="complex64")
