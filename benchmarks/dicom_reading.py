"""How long reading a DICOM series takes, beside pydicom's bare reading of its files.

`python benchmarks/dicom_reading.py` reads each series under dicom/conversion of the test data
(`LEUKO_TEST_DATA`, else ../shared/data), unpacked, as a whole: search, sorting, checks, decoding,
rescaling, hashing. Beside it stand `dcmread` and `pixel_array` of each file and nothing more. Both
alternate in one process; the best of several rounds counts. The last rows are series of 20 MB made
from the headers of one scan. A series of several images is read image by image.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import JPEGLSLossless, generate_uid

from leuko.dicom.files import scan
from leuko.dicom.image import load

ROUNDS = 15
GOAL = 2.0


def ours(folder: Path) -> int:
    """Every image of the folder; returns the bytes of voxels."""
    return sum(load(stack).data.nbytes for stack in scan(folder).usable)


def bare(files: list[Path]) -> None:
    """What pydicom alone needs."""
    for file in files:
        _ = pydicom.dcmread(file).pixel_array


def best(*jobs: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The shortest time of each job in ms; the jobs alternate."""
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds + 1):
        for job, found in zip(jobs, times, strict=True):
            start = time.perf_counter()
            job()
            found.append(time.perf_counter() - start)
    return [1000 * min(found[1:]) for found in times]


def row(name: str, folder: Path, *, rounds: int = ROUNDS) -> float:
    """Print a line for one series; returns our time over pydicom's."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files) / 1e6
    mine, theirs = best(lambda: ours(folder), lambda: bare(files), rounds=rounds)
    print(f"{name:42s} {len(files):5d} {size:8.2f} {mine:9.2f} {theirs:9.2f} {mine / theirs:6.2f}")
    return mine / theirs


def made_series(source: Path, folder: Path, *, compressed: bool) -> None:
    """Twenty MB of 512 x 512 slices with the headers of a real slice."""
    folder.mkdir()
    template = pydicom.dcmread(source)
    noise = np.random.default_rng(0).normal(300, 20, (512, 512)).astype("<u2")
    x, y, z = map(float, template.ImagePositionPatient)
    lines = np.array(template.ImageOrientationPatient, dtype=float)
    normal = np.cross(lines[:3], lines[3:])
    for k in range(40):
        template.SOPInstanceUID = generate_uid()
        template.file_meta.MediaStorageSOPInstanceUID = template.SOPInstanceUID
        template.Rows = template.Columns = 512
        position = np.array([x, y, z]) + 3.0 * k * normal
        template.ImagePositionPatient = [float(f"{value:.6f}") for value in position]
        template.PixelData = np.roll(noise, k, axis=0).tobytes()
        if compressed:
            template.compress(JPEGLSLossless, generate_instance_uid=False)
        template.save_as(folder / f"{k:03d}")
        template.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian


def main() -> int:
    """Print the table; 1 where a series takes more than twice pydicom's time."""
    warnings.simplefilter("ignore")
    root = Path(__file__).resolve().parents[1]
    data = Path(os.environ.get("LEUKO_TEST_DATA", root.parent / "shared" / "data"))
    cases = sorted((data / "dicom" / "conversion").glob("*/in.zip"))
    print(f"{'series':42s} {'files':>5s} {'MB':>8s} {'ours ms':>9s} {'pydicom':>9s} {'ratio':>6s}")
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        for case in cases:
            folder = Path(scratch) / case.parent.name
            with zipfile.ZipFile(case) as archive:
                archive.extractall(folder)
            ratios.append(row(case.parent.name, folder))
        source = sorted((Path(scratch) / "siemens_2d_sag_t1_hfs").iterdir())[0]
        for name, compressed in (("20 MB", False), ("20 MB, JPEG-LS", True)):
            made_series(source, Path(scratch) / name, compressed=compressed)
            ratios.append(row(name, Path(scratch) / name, rounds=4))
    late = sum(ratio > GOAL for ratio in ratios)
    print(f"worst {max(ratios):.2f}, median {np.median(ratios):.2f}; {late} above {GOAL:g}")
    return int(late > 0)


if __name__ == "__main__":
    sys.exit(main())
