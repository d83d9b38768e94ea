"""Any image written is read back the same, by leuko and by nibabel, and the other way round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leuko.errors import LeukoError
from leuko.findings import Policy
from leuko.formats.read import read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image

KINDS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "?"]
shapes = st.tuples(*[st.integers(2, 5)] * 3)
unit = st.floats(-1, 1, allow_subnormal=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("roundtrip")


@st.composite
def affines(draw: st.DrawFn) -> Any:
    """A rotation (from a quaternion) or mirroring, spacings of 0.4 to 10 mm, an origin."""
    quaternion = np.array(draw(st.tuples(unit, unit, unit, unit)))
    length = np.linalg.norm(quaternion)
    a, b, c, d = quaternion / length if length > 0.1 else (1.0, 0.0, 0.0, 0.0)
    axis = np.array([[0, -d, c], [d, 0, -b], [-c, b, 0]])
    rotation = np.eye(3) + 2 * a * axis + 2 * axis @ axis
    signs = np.array(draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3)))
    spacing = np.array(draw(st.tuples(*[st.floats(0.4, 10)] * 3)))
    affine = np.eye(4)
    affine[:3, :3] = (rotation * spacing * signs)[:, draw(st.permutations(range(3)))]
    affine[:3, 3] = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    return affine


@st.composite
def arrays(draw: st.DrawFn, kinds: list[str]) -> Any:
    kind = np.dtype(draw(st.sampled_from(kinds)))
    elements: Any = None
    if kind.kind == "f":
        elements = st.floats(-(2.0**100), 2.0**100, width=32)
    elif kind.itemsize == 8 or kind == np.uint32:  # beyond 32 bits floats take over
        elements = st.integers(0 if kind.kind == "u" else -(2**31), 2**31 - 1)
    return draw(hnp.arrays(kind, draw(shapes), elements=elements))


@settings(deadline=None)
@given(data=arrays(KINDS), affine=affines(), name=st.sampled_from(["a.nii", "a.nii.gz"]))
def test_what_leuko_writes_is_read_the_same(
    folder: Path, data: Any, affine: Any, name: str
) -> None:
    grid = Grid(data.shape, affine)
    write(Image(data, grid), folder / name)
    image, oracle = read_scan(folder / name, policy=Policy.STRICT), nibabel.load(folder / name)
    np.testing.assert_array_equal(image.data, data)
    np.testing.assert_array_equal(np.asanyarray(oracle.dataobj), data)
    assert image.grid.corner_distance(grid) < 1e-3
    np.testing.assert_allclose(oracle.get_sform(), affine, atol=1e-4)
    if oracle.header["qform_code"]:
        assert Grid(data.shape, oracle.get_qform()).corner_distance(grid) < 0.1
    write(image.data, folder / f"again-{name}", like=image)
    again = read_scan(folder / f"again-{name}")
    assert again.grid == image.grid
    np.testing.assert_array_equal(again.data, data)


@settings(deadline=None)
@given(
    data=arrays(["u1", "i2", "i4", "f4", "f8"]),
    affine=affines(),
    version=st.sampled_from([nibabel.Nifti1Image, nibabel.Nifti2Image]),
    order=st.sampled_from(["<", ">"]),
    codes=st.sampled_from([(0, 1), (1, 0), (2, 1)]),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
)
def test_what_nibabel_writes_is_read_the_same(
    folder: Path, data: Any, affine: Any, version: Any, order: str, codes: Any, suffix: str
) -> None:
    header = version.header_class(endianness=order)
    header.set_data_dtype(data.dtype)
    image = version(data, affine, header)
    image.set_sform(affine, code=codes[0])
    image.set_qform(affine, code=codes[1])
    path = folder / f"theirs{suffix}"
    nibabel.save(image, path)
    oracle, ours = nibabel.load(path), read_scan(path)
    np.testing.assert_array_equal(ours.data, np.asanyarray(oracle.dataobj).astype(ours.data.dtype))
    np.testing.assert_allclose(ours.grid.affine, oracle.affine, atol=1e-5)
    assert {f.code for f in ours.findings} <= {"nifti.units_unknown", "nifti.big_endian"}


@settings(deadline=None)
@given(
    data=arrays(["u1", "i1", "u2", "i2", "i4", "f4"]),
    slope=st.floats(-100, 100, width=32).filter(lambda s: abs(s) > 1e-3),
    inter=st.floats(-1000, 1000, width=32),
)
def test_scaling_equals_nibabels(folder: Path, data: Any, slope: float, inter: float) -> None:
    image = nibabel.Nifti1Image(data, np.eye(4))
    content = bytearray(image.to_bytes())
    content[112:120] = np.array([slope, inter], "<f4").tobytes()
    path = folder / "scaled.nii"
    path.write_bytes(content)
    truth = nibabel.load(path).get_fdata()
    limit = 1e-6 * (np.abs(data.astype(np.float64) * slope).max() + abs(inter)) + 1e-30
    np.testing.assert_allclose(read_scan(path).data, truth, rtol=1e-6, atol=limit)


def read_or_refuse(path: Path) -> None:
    """Whatever the bytes: a finite image on a finite grid, or an error with a way out."""
    try:
        image = read_scan(path, policy=Policy.LENIENT)
    except LeukoError as error:
        if error.exit_code not in (3, 4) or not error.hint:
            raise
    else:
        assert np.all(np.isfinite(image.data))
        assert np.all(np.isfinite(image.grid.affine))
        assert min(image.grid.spacing) >= 0
        assert image.grid.canonical().shape


@settings(deadline=None, max_examples=300)
@given(
    version=st.sampled_from([nibabel.Nifti1Image, nibabel.Nifti2Image]),
    changes=st.lists(st.tuples(st.integers(4, 543), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 40),
)
def test_damaged_headers_are_read_or_refused(
    folder: Path, version: Any, changes: list[tuple[int, int]], cut: int
) -> None:
    image = version(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([1.0, 1, 2, 1]))
    content = bytearray(image.to_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path = folder / "damaged.nii"
    path.write_bytes(content[: len(content) - cut])
    read_or_refuse(path)


@settings(deadline=None, max_examples=200)
@given(
    content=st.binary(max_size=1500), start=st.sampled_from([b"", b"\x1f\x8b\x08", b"\x5c\x01\0\0"])
)
def test_any_bytes_are_read_or_refused(folder: Path, content: bytes, start: bytes) -> None:
    path = folder / "any.nii.gz"
    path.write_bytes(start + content)
    read_or_refuse(path)
