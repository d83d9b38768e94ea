"""Volumes written as classic MR slices, a file each, as a scanner of the usual kind exports them.

For tests and for the examples of the documentation: `write_series` makes files that any DICOM
software reads; names are shuffled and say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
ROOT = "1.2.826.0.1.3680043.8.498.77"  # below pydicom's, for tests


@dataclass(frozen=True)
class Study:
    """One patient's visit; `number` makes the UIDs."""

    number: int = 1
    patient: str = "Test^Person"
    patient_id: str = "P-001"
    date: str = "20240229"

    @property
    def uid(self) -> str:
        return f"{ROOT}.{self.number}"


@dataclass(frozen=True)
class Series:
    """How a series was acquired; `extra` are further attributes, by keyword."""

    number: int
    description: str
    echo_ms: float = 90.0
    repetition_ms: float = 9000.0
    inversion_ms: float | None = 2500.0
    sequence: tuple[str, ...] = ("SE", "IR")
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "M", "ND")
    extra: dict[str, object] = field(default_factory=dict)


FLAIR = Series(3, "t2_flair_tra")
T1 = Series(4, "t1_se_tra", 9.0, 500.0, None, ("SE",))


def slice_headers(
    affine: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
    *,
    series: Series = FLAIR,
    study: Study | None = None,
) -> list[Dataset]:
    """Headers of the slices of an array whose `affine` maps (column, row, slice) to RAS mm."""
    visit = study or Study()
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    steps = np.linalg.norm(lps[:3, :3], axis=0)
    along = lps[:3, :3] / steps
    found = []
    for index in range(shape[2]):
        header = Dataset()
        header.SpecificCharacterSet = "ISO_IR 100"
        header.ImageType = list(series.image_type)
        header.SOPClassUID = MR_STORAGE
        header.SOPInstanceUID = f"{visit.uid}.{series.number}.{index + 1}"
        header.StudyInstanceUID = visit.uid
        header.SeriesInstanceUID = f"{visit.uid}.{series.number}"
        header.FrameOfReferenceUID = f"{visit.uid}.99"
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = visit.date
        header.ContentDate = visit.date
        header.StudyTime = "080000"
        header.SeriesTime = header.AcquisitionTime = header.ContentTime = f"08{series.number:02}00"
        header.AccessionNumber = "A-77"
        header.Modality = "MR"
        header.Manufacturer = "Test"
        header.ManufacturerModelName = "Written by a test"
        header.ReferringPhysicianName = "Ref^Doctor"
        header.StudyDescription = "Head"
        header.SeriesDescription = header.ProtocolName = series.description
        header.PatientName = visit.patient
        header.PatientID = visit.patient_id
        header.PatientBirthDate = "19500101"
        header.PatientSex = "F"
        header.BodyPartExamined = "HEAD"
        header.ScanningSequence = list(series.sequence)
        header.SequenceVariant = "SK"
        header.ScanOptions = ""
        header.MRAcquisitionType = "2D"
        header.SliceThickness = format_number_as_ds(float(steps[2]))
        header.RepetitionTime = series.repetition_ms
        header.EchoTime = series.echo_ms
        if series.inversion_ms is not None:
            header.InversionTime = series.inversion_ms
        header.EchoTrainLength = 1
        header.MagneticFieldStrength = 1.5
        header.SpacingBetweenSlices = format_number_as_ds(float(steps[2]))
        header.PatientPosition = "HFS"
        header.StudyID = "1"
        header.SeriesNumber = series.number
        header.AcquisitionNumber = 1
        header.InstanceNumber = shape[2] - index  # not the order of positions
        corner = lps[:3, 3] + index * lps[:3, 2]
        header.ImagePositionPatient = [format_number_as_ds(float(v)) for v in corner]
        header.ImageOrientationPatient = [
            format_number_as_ds(float(v)) for v in (*along[:, 0], *along[:, 1])
        ]
        header.PositionReferenceIndicator = ""
        header.SamplesPerPixel = 1
        header.PhotometricInterpretation = "MONOCHROME2"
        header.Rows, header.Columns = shape[1], shape[0]
        header.PixelSpacing = [format_number_as_ds(float(steps[1])),
                               format_number_as_ds(float(steps[0]))]  # fmt: skip
        header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
        header.PixelRepresentation = 0
        for keyword, value in series.extra.items():
            setattr(header, keyword, value)
        found.append(header)
    return found


def write_series(
    folder: Path,
    data: npt.NDArray[np.generic],
    affine: npt.NDArray[np.float64],
    *,
    series: Series = FLAIR,
    study: Study | None = None,
) -> list[Path]:
    """Write `data` (column, row, slice), rounded to 16-bit integers, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = np.clip(np.rint(data.astype(np.float64)), 0, 65535).astype("<u2")
    shape = (stored.shape[0], stored.shape[1], stored.shape[2])
    headers = slice_headers(affine, shape, series=series, study=study)
    order = np.random.default_rng(series.number).permutation(len(headers))
    paths = []
    for name, header, pixels in zip(order, headers, np.moveaxis(stored, 2, 0), strict=True):
        header.PixelData = pixels.T.tobytes()
        path = folder / f"IM{series.number:02}{int(name):04}"
        write_file(path, header)
        paths.append(path)
    return paths


def write_multi_frame(
    path: Path,
    data: npt.NDArray[np.generic],
    affine: npt.NDArray[np.float64],
    *,
    series: Series = FLAIR,
) -> Path:
    """Write `data` (column, row, slice) as one enhanced object, its frames from the last slice."""
    shape = (data.shape[0], data.shape[1], data.shape[2])
    headers = slice_headers(affine, shape, series=series)[::-1]
    whole = headers[0]
    groups = []
    for header in headers:
        group = Dataset()
        for word, keywords in (
            ("PlanePositionSequence", ["ImagePositionPatient"]),
            ("PlaneOrientationSequence", ["ImageOrientationPatient"]),
            ("PixelMeasuresSequence", ["PixelSpacing", "SliceThickness"]),
        ):
            item = Dataset()
            for keyword in keywords:
                setattr(item, keyword, header[keyword].value)
            setattr(group, word, [item])
        groups.append(group)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        del whole[keyword]
    whole.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    whole.ImageType = ["ORIGINAL", "PRIMARY", "FLAIR", "NONE"]
    whole.NumberOfFrames = shape[2]
    whole.PerFrameFunctionalGroupsSequence = groups
    stored = np.clip(np.rint(data.astype(np.float64)), 0, 65535).astype("<u2")
    whole.PixelData = np.moveaxis(stored[:, :, ::-1], (2, 1, 0), (0, 1, 2)).tobytes()
    write_file(path, whole)
    return path


def write_file(path: Path, dataset: Dataset) -> None:
    """Write a data set as a DICOM file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    dcmwrite(path, dataset, enforce_file_format=True)


def sample_study(folder: Path) -> Path:
    """The packaged sample as a study: its FLAIR, and a series that stands in for a T1."""
    from leuko.formats.read import read

    root = Path(__file__).resolve().parents[1]
    image = read(root / "src" / "leuko" / "models" / "sample" / "flair.nii.gz")
    affine = image.grid.affine @ np.array(
        [[-1, 0, 0, image.grid.shape[0] - 1], [0, -1, 0, image.grid.shape[1] - 1],
         [0, 0, 1, 0], [0, 0, 0, 1]]
    )  # fmt: skip
    data = image.data[::-1, ::-1]  # rows to the left, columns to the back, as scanners write
    write_series(folder, data, affine)
    values = data.astype(np.float64)
    write_series(folder, np.where(values > 20, values.max() - values, 0), affine, series=T1)
    return folder
