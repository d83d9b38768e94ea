"""Synthetic DICOM series for tests: each voxel's value says where it lies in the world."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SHAPE = (5, 7, 6)  # columns, rows, slices
SPACING = (1.5, 2.0, 3.0)


def field(points: np.ndarray) -> np.ndarray:
    """A value for world points (LPS, mm) that differs for any two of a grid."""
    return np.rint(points @ np.array([3.0, 7.0, 11.0]) + 2000).astype(np.int64)


def axes(iop: Iterable[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row direction, column direction, normal."""
    lines = np.array(list(iop), dtype=float)
    return lines[:3], lines[3:], np.cross(lines[:3], lines[3:])


def plane_points(
    position: np.ndarray, iop: Iterable[float], shape: tuple[int, int, int] = SHAPE
) -> np.ndarray:
    """World points (LPS) of a plane, shape (rows, columns, 3)."""
    row, column, _ = axes(iop)
    across = np.arange(shape[0])[None, :, None] * SPACING[0] * row
    down = np.arange(shape[1])[:, None, None] * SPACING[1] * column
    return position + across + down


def base(**values: object) -> Dataset:
    """What every object here has; values override."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = MR
    data.SOPInstanceUID = generate_uid()
    data.StudyInstanceUID = "1.2.3.1"
    data.SeriesInstanceUID = "1.2.3.2"
    data.FrameOfReferenceUID = "1.2.3.3"
    data.PatientID = "P"
    data.PatientName = "Nobody^Known"
    data.Modality = "MR"
    data.SeriesNumber = 7
    data.SeriesDescription = "test"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    data.Rows, data.Columns = SHAPE[1], SHAPE[0]
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.PixelRepresentation = 0
    data.PixelSpacing = [SPACING[1], SPACING[0]]
    data.SliceThickness = 99.0  # wrong on purpose: nobody may use it
    data.SpacingBetweenSlices = 42.0
    for name, value in values.items():
        setattr(data, name, value)
    return data


def slices(
    iop: Iterable[float] = AXIAL,
    *,
    count: int = SHAPE[2],
    origin: tuple[float, float, float] = (-20.0, 30.0, 5.0),
    step: np.ndarray | None = None,
    reverse: bool = False,
    **values: object,
) -> list[Dataset]:
    """A classic series, one data set per slice, instance numbers in an order of their own."""
    iop = list(iop)
    normal = axes(iop)[2]
    step = normal * SPACING[2] if step is None else np.asarray(step)
    found = []
    for k in range(count):
        position = np.array(origin) + k * step
        data = base(**values)
        data.ImagePositionPatient = [float(f"{value:.9g}") for value in position]
        data.ImageOrientationPatient = iop
        data.InstanceNumber = (k * 3) % count + 1 if not reverse else count - k
        data.PixelData = field(plane_points(position, iop)).astype("<u2").tobytes()
        found.append(data)
    return found


def save(
    data: Dataset, path: Path, *, syntax: str = ExplicitVRLittleEndian, implicit: bool = False
) -> Path:
    """Write one data set as a file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    file = FileDataset(str(path), data, file_meta=meta, preamble=bytes(128))
    file.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
    return path


def write(series: Iterable[Dataset], folder: Path, *, seed: int = 0) -> Path:
    """Write data sets under shuffled names without suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = list(series)
    names = np.random.default_rng(seed).permutation(len(entries))
    for name, data in zip(names, entries, strict=True):
        save(data, folder / f"F{name:04d}")
    return folder


def item(**values: object) -> Dataset:
    """One item of a sequence."""
    data = Dataset()
    for name, value in values.items():
        setattr(data, name, value)
    return data


def enhanced(
    frames: list[Mapping[str, object]], *, iop: Iterable[float] = AXIAL, **values: object
) -> Dataset:
    """An enhanced MR object; a frame says position and, if wanted, echo, b_value, time, ...."""
    data = base(SOPClassUID=ENHANCED_MR, **values)
    for name in ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"):
        delattr(data, name)
    iop = list(iop)
    data.NumberOfFrames = len(frames)
    shared = item(
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=iop)]),
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[SPACING[1], SPACING[0]])]),
    )
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    groups, pixels = [], []
    for frame in frames:
        position = np.asarray(frame["position"], dtype=float)
        groups.append(_group(frame, position))
        value = field(plane_points(position, iop)) + int(frame.get("add", 0))  # type: ignore[call-overload]
        slope = float(frame.get("slope", 1.0))  # type: ignore[arg-type]
        inter = float(frame.get("inter", 0.0))  # type: ignore[arg-type]
        pixels.append(np.rint((value - inter) / slope).astype("<u2"))
    data.PerFrameFunctionalGroupsSequence = Sequence(groups)
    data.PixelData = np.stack(pixels).tobytes()
    return data


def _group(frame: Mapping[str, object], position: np.ndarray) -> Dataset:
    content = item()
    if "temporal" in frame:
        content.TemporalPositionIndex = frame["temporal"]
    group = item(
        FrameContentSequence=Sequence([content]),
        PlanePositionSequence=Sequence([item(ImagePositionPatient=list(map(float, position)))]),
    )
    if "echo" in frame:
        group.MREchoSequence = Sequence([item(EffectiveEchoTime=float(frame["echo"]))])  # type: ignore[arg-type]
    if "b_value" in frame:
        group.MRDiffusionSequence = Sequence([item(DiffusionBValue=float(frame["b_value"]))])  # type: ignore[arg-type]
    if "type" in frame:
        group.MRImageFrameTypeSequence = Sequence([item(FrameType=frame["type"])])
    if "slope" in frame:
        group.PixelValueTransformationSequence = Sequence(
            [item(RescaleSlope=frame["slope"], RescaleIntercept=frame.get("inter", 0))]
        )
    return group


def changed(series: list[Dataset], change: Callable[[int, Dataset], None]) -> list[Dataset]:
    """Copies of data sets, each changed in place."""
    copies = [copy.deepcopy(data) for data in series]
    for place, data in enumerate(copies):
        change(place, data)
    return copies


def assert_in_place(data: np.ndarray, affine: np.ndarray, *, add: float = 0.0) -> None:
    """Each voxel of a 3D array holds the value of the world point that its affine gives."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in data.shape), indexing="ij"), axis=-1)
    ras = index @ affine[:3, :3].T + affine[:3, 3]
    np.testing.assert_allclose(data, field(ras * [-1, -1, 1]) + add, atol=1.01)
