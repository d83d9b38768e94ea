"""What made a result: enough to make it again, nothing that tells who the patient is."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from leuko.image.image import Source

__all__ = [
    "Provenance",
    "Value",
    "file_sha256",
    "name_of",
    "now",
    "plain_values",
    "program_version",
    "sha_of",
]

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Value = bool | int | float | str | list[float] | dict[str, float] | None
"""What a recorded parameter or effect may be."""
CHUNK = 1 << 20


class Provenance(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Program, weights, parameters and inputs of a run. Files are names and hashes, never paths."""

    program: Literal["leuko"] = "leuko"
    version: str
    weights_name: str | None = None
    weights_version: str | None = None
    weights_sha256: Sha256 | None = None
    engine: str | None = None
    """What ran the network; null where no network was needed or none could run."""
    precision: str | None = None
    input_name: str
    input_sha256: Sha256 | None
    mask_name: str | None = None
    """The given mask of `leuko measure`; null where the mask was made by the network."""
    mask_sha256: Sha256 | None = None
    t1_name: str | None = None
    """The T1 of the same head, for a network that takes one; null for every other."""
    t1_sha256: Sha256 | None = None
    t1_used: bool | None = None
    """Whether the network saw it; a finding says why not. Null where there was none."""
    source: dict[str, Value] | None = None
    """Of a scan that came as DICOM: which series it is, and why it was chosen."""
    patient: dict[str, str] | None = None
    """Of whom and of which study it is; null unless that was asked for."""
    time: str
    """When the run began, UTC, ISO 8601."""
    parameters: dict[str, Value]
    """Every parameter with the value that was used."""

    def same_result_as(self, other: Provenance) -> bool:
        """Whether both runs must have the same outcome: all but the time is equal."""
        return _deciding(self) == _deciding(other)


def _deciding(provenance: Provenance) -> dict[str, object]:
    """The fields that decide the outcome. The name of a file does not; its content does."""
    ignored = {"time", "input_name", "mask_name", "t1_name", "t1_used", "source", "patient"}
    return {
        name: getattr(provenance, name)
        for name in provenance.__struct_fields__
        if name not in ignored
    }


def plain_values(values: Mapping[str, object]) -> dict[str, Value]:
    """Parameters and effects as plain values: arrays and tuples become lists, enums their text."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> Value:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): float(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        listed: object = value.tolist()
        return _plain(listed)
    if isinstance(value, Sequence):
        return [float(item) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot be recorded")


def program_version() -> str:
    """The version of the package that runs."""
    return str(getattr(sys.modules["leuko"], "__version__", "unknown"))


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def name_of(source: Source | None) -> str:
    """The file name of a source; a word for an image that was made in memory."""
    return source.name if source else "(in memory)"


def sha_of(source: Source | None) -> str | None:
    """The hash of a source's file; None for an image that was made in memory."""
    return (source.sha256 or None) if source else None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as `Image.source.sha256` holds it."""
    from hashlib import sha256

    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
