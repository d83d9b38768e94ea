"""Enhanced objects: frames in any order, per-frame values, several images in one file."""

from __future__ import annotations

import dicom_series as made
import numpy as np
import pytest

from leuko.dicom.files import scan
from leuko.dicom.image import load, read_dicom
from leuko.errors import ReadError, SafetyRefusal

PLACES = [np.array([-20.0, 30.0, 5.0 + 3.0 * k]) for k in range(6)]


def shuffled(frames, seed=1):
    order = np.random.default_rng(seed).permutation(len(frames))
    return [frames[k] for k in order]


@pytest.mark.parametrize("iop", [made.AXIAL, made.SAGITTAL, made.CORONAL], ids=["ax", "sag", "cor"])
def test_the_order_of_frames_means_nothing(iop, tmp_path):
    normal = made.axes(iop)[2]
    frames = [{"position": PLACES[0] + 3.0 * k * normal} for k in range(6)]
    image = read_dicom(made.save(made.enhanced(shuffled(frames), iop=iop), tmp_path / "f"))
    made.assert_in_place(image.data, image.grid.affine)


def test_each_frame_is_rescaled_by_its_own_slope(tmp_path):
    frames = [
        {"position": place, "slope": 0.5 + 0.25 * k, "inter": -10.0 * k}
        for k, place in enumerate(PLACES)
    ]
    image = read_dicom(made.save(made.enhanced(shuffled(frames)), tmp_path / "f"))
    assert image.data.dtype == np.float32
    made.assert_in_place(image.data, image.grid.affine)


def test_volumes_in_one_file_are_ordered_by_their_temporal_index(tmp_path):
    frames = [
        {"position": place, "temporal": t, "add": 1000 * t} for t in (1, 2, 3) for place in PLACES
    ]
    image = read_dicom(made.save(made.enhanced(shuffled(frames)), tmp_path / "f"))
    assert image.volumes == 3
    for t in (1, 2, 3):
        made.assert_in_place(image.volume(t - 1).data, image.grid.affine, add=1000 * t)


def test_volumes_in_files_of_their_own_are_one_series(tmp_path):
    for t in (3, 1, 2):
        frames = [{"position": place, "temporal": t, "add": 1000 * t} for place in PLACES]
        made.save(made.enhanced(shuffled(frames, t)), tmp_path / f"x{7 - t}")
    image = read_dicom(tmp_path)
    for t in (1, 2, 3):
        made.assert_in_place(image.volume(t - 1).data, image.grid.affine, add=1000 * t)


def test_b_values_order_volumes(tmp_path):
    frames = [
        {"position": place, "b_value": b, "add": int(b)} for b in (1000, 0, 500) for place in PLACES
    ]
    image = read_dicom(made.save(made.enhanced(frames), tmp_path / "f"))
    for k, b in enumerate((0, 500, 1000)):
        made.assert_in_place(image.volume(k).data, image.grid.affine, add=b)


def test_echoes_and_components_in_one_file_are_stacks(tmp_path):
    kinds = {"M": 0, "P": 3000}
    frames = [
        {"position": place, "echo": echo, "type": ["ORIGINAL", "PRIMARY", "T2", kind],
         "add": int(echo) + add}
        for echo in (5.0, 10.0)
        for kind, add in kinds.items()
        for place in PLACES
    ]  # fmt: skip
    study = scan(made.save(made.enhanced(shuffled(frames)), tmp_path / "f"))
    expected = {"7-e1": 5, "7-e1-phase": 3005, "7-e2": 10, "7-e2-phase": 3010}
    assert set(expected) == {stack.key for stack in study.stacks}
    for stack in study.stacks:
        image = load(stack)
        made.assert_in_place(image.data, image.grid.affine, add=expected[stack.key])


def test_a_lost_frame_is_refused(tmp_path):
    frames = [{"position": p, "temporal": t} for t in (1, 2) for p in PLACES][:-1]
    with pytest.raises(SafetyRefusal, match="incomplete"):
        read_dicom(made.save(made.enhanced(frames), tmp_path / "f"))


def test_more_frames_than_groups_are_refused(tmp_path):
    data = made.enhanced([{"position": place} for place in PLACES])
    data.NumberOfFrames = 9
    with pytest.raises(ReadError, match="claims 9 frames and describes 6"):
        read_dicom(made.save(data, tmp_path / "f"))


def test_a_claim_of_many_frames_takes_no_memory(tmp_path):
    data = made.enhanced([{"position": place} for place in PLACES])
    data.NumberOfFrames = 2_000_000_000
    with pytest.raises(ReadError, match="damaged"):
        read_dicom(made.save(data, tmp_path / "f"))


def test_orientation_and_spacing_may_stand_in_every_frame(tmp_path):
    data = made.enhanced([{"position": place} for place in PLACES])
    shared = data.SharedFunctionalGroupsSequence[0]
    for group in data.PerFrameFunctionalGroupsSequence:
        group.PlaneOrientationSequence = shared.PlaneOrientationSequence
        group.PixelMeasuresSequence = shared.PixelMeasuresSequence
    del data.SharedFunctionalGroupsSequence
    image = read_dicom(made.save(data, tmp_path / "f"))
    made.assert_in_place(image.data, image.grid.affine)


def csa(values: dict[str, list[str]]) -> bytes:
    """A CSA2 header with these values."""
    raw = b"SV10\4\3\2\1" + len(values).to_bytes(4, "little") + (77).to_bytes(4, "little")
    for name, texts in values.items():
        raw += name.encode().ljust(64, b"\0") + (len(texts)).to_bytes(4, "little") + b"FD\0\0"
        raw += (4).to_bytes(4, "little") + (6).to_bytes(4, "little") + (77).to_bytes(4, "little")
        for k in range(6):
            text = texts[k].encode() + b"\0" if k < len(texts) else b""
            size = len(text).to_bytes(4, "little")
            raw += size + size + (77).to_bytes(4, "little") + size
            raw += text + bytes(-len(text) % 4)
    return raw


@pytest.mark.parametrize("block", [0x10, 0x21])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_tiles_of_a_mosaic_land_in_place(sign, block, tmp_path):
    data = made.base(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], InstanceNumber=1)
    count, across = 6, 3
    origin = np.array([-20.0, 30.0, 5.0])
    row, column, normal = made.axes(made.AXIAL)
    mosaic = np.zeros((7 * across, 5 * across), "<u2")
    for k in range(count):
        down, right = divmod(k, across)
        plane = made.field(made.plane_points(origin + sign * 3.0 * k * normal, made.AXIAL))
        mosaic[down * 7 : down * 7 + 7, right * 5 : right * 5 + 5] = plane
    corner = origin - row * 1.5 * (15 - 5) / 2 - column * 2.0 * (21 - 7) / 2
    data.ImagePositionPatient = list(corner)
    data.ImageOrientationPatient = list(made.AXIAL)
    data.Rows, data.Columns = mosaic.shape
    data.SpacingBetweenSlices = 3.0
    data.PixelData = mosaic.tobytes()
    data.add_new((0x0029, block), "LO", "SIEMENS CSA HEADER")
    values = {"EchoLinePosition": ["36"], "NumberOfImagesInMosaic": [str(count)],
              "SliceNormalVector": ["0", "0", str(sign)]}  # fmt: skip
    data.add_new((0x0029, block << 8 | 0x10), "OB", csa(values))
    image = read_dicom(made.save(data, tmp_path / "f"))
    assert image.data.shape == made.SHAPE
    made.assert_in_place(image.data, image.grid.affine)


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("mark", ["acquisition", "dimension", "offset"])
def test_volumes_follow_each_other_by_whatever_frames_say_of_time(mark, implicit, tmp_path):
    places = [(volume, k) for volume in (2, 1) for k in range(4)]
    data = made.enhanced(
        [{"position": (-20.0, 30.0, 3.0 * k), "add": 1000 * volume} for volume, k in places]
    )
    pointers = [made.item(DimensionIndexPointer=tag) for tag in (0x00209057, 0x00209128)]
    data.DimensionIndexSequence = pointers
    groups = data.PerFrameFunctionalGroupsSequence
    for group, (volume, k) in zip(groups, places, strict=True):
        content = group.FrameContentSequence[0]
        if mark == "acquisition":
            content.FrameAcquisitionNumber = volume
        elif mark == "dimension":
            content.DimensionIndexValues = [k + 1, volume]
        else:
            group.TemporalPositionSequence = [made.item(TemporalPositionTimeOffset=7.0 * volume)]
    syntax = "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1"
    image = read_dicom(made.save(data, tmp_path / "x", implicit=implicit, syntax=syntax))
    for volume in (1, 2):
        made.assert_in_place(image.data[..., volume - 1], image.grid.affine, add=1000 * volume)
    if mark == "offset":
        assert image.seconds == 7.0
