"""Real small files to damage: one of every format, mode and encoding there is."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Seed", "real_seeds"]

MOST_BYTES = 300_000
RUBBISH = (".txt", ".md", ".npy", ".json")
PAIRED = {".hdr": ".img", ".head": ".brik"}


@dataclass(frozen=True)
class Seed:
    """Files by name, and which of them is read ('' for the folder that holds them all)."""

    name: str
    files: dict[str, bytes]
    main: str

    @property
    def checked(self) -> bool:
        """Whether the format's own checksums cover all of it."""
        head = self.files[self.main][:8] if self.main else b""
        return head[:2] == b"\x1f\x8b" or head == b"\x89PNG\r\n\x1a\n" or head[:4] == b"PK\3\4"

    @property
    def open_ended(self) -> bool:
        """Whether voxels are digits in a text: a cut within the last number leaves a number."""
        return "text" in self.name or "ascii" in self.name


def real_seeds(data: Path) -> list[Seed]:
    """Every small file of the shared data, pairs together; DICOM as files and as series."""
    seeds = []
    for path in sorted((data / "formats").rglob("*")):
        if path.is_file() and path.suffix.lower() not in RUBBISH and "LICENSES" not in path.parts:
            seeds += _with_companions(path)
    for path in sorted((data / "dicom").rglob("*.zip")):
        seeds += _from_zip(path)
    for path in sorted((data / "dicom").rglob("*")):
        if path.is_file() and path.suffix.lower() not in (*RUBBISH, ".zip", ".gz"):
            seeds += _with_companions(path)
    return seeds


def _with_companions(path: Path) -> list[Seed]:
    beside = PAIRED.get(path.suffix.lower())
    paths = [path]
    if beside:
        paths += [p for p in path.parent.glob(f"{path.stem}.*") if p.suffix.lower() == beside]
    if path.suffix.lower() in (".nhdr", ".mhd"):
        text = path.read_bytes()
        paths += [p for p in path.parent.iterdir() if p.name.encode() in text and p != path]
    files = {p.name: p.read_bytes() for p in paths}
    if sum(map(len, files.values())) > MOST_BYTES:
        return []
    return [Seed(f"{path.parent.name}/{path.name}", files, path.name)]


def _from_zip(path: Path) -> list[Seed]:
    """The first file of a zip alone, and the first few as a series."""
    name = f"{path.parent.name}/{path.name}"
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        members = [
            m for m in archive.infolist()
            if not m.is_dir() and m.file_size <= MOST_BYTES and not m.filename.endswith(RUBBISH)
        ]  # fmt: skip
        singles = members if path.parent.name == "failing" else members[:1]
        seeds = [
            Seed(f"{name}:{m.filename}", {Path(m.filename).name: archive.read(m)},
                 Path(m.filename).name)
            for m in singles
        ]  # fmt: skip
        if len(members) > 1 and sum(m.file_size for m in members[:4]) <= MOST_BYTES:
            series = {Path(m.filename).name: archive.read(m) for m in members[:4]}
            seeds.append(Seed(name, series, ""))
    return seeds
