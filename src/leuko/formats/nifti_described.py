"""What a NIfTI header says, for people: codes as words, slice timing as seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leuko.formats.nifti_header import COLOURS, COMPLEX, STORED_TYPES, header_dtype, parse_header

__all__ = ["NiftiDescription", "describe_nifti", "nifti_fields"]

_SPACES = {
    0: "unknown", 1: "scanner", 2: "aligned to another scan", 3: "Talairach", 4: "MNI 152",
    5: "another template",
}  # fmt: skip
_UNITS = {0: "unknown", 1: "m", 2: "mm", 3: "um", 8: "s", 16: "ms", 24: "us", 32: "Hz", 40: "ppm",
          48: "rad/s"}  # fmt: skip
_ORDERS = {
    0: "not stated", 1: "ascending", 2: "descending", 3: "interleaved, ascending",
    4: "interleaved, descending", 5: "interleaved, ascending from the second",
    6: "interleaved, descending from the second but last",
}  # fmt: skip
_INTENTS = {
    0: "none", 2: "correlation", 3: "t statistic", 4: "F statistic", 5: "z score",
    6: "chi-squared", 22: "p value", 23: "log p value", 24: "log10 p value", 1001: "estimate",
    1002: "labels", 1003: "neuro names", 1004: "matrices", 1005: "symmetric matrices",
    1006: "displacements", 1007: "vectors", 1008: "points", 1009: "triangles",
    1010: "quaternions", 1011: "dimensionless", 2001: "time series", 2002: "node numbers",
    2003: "RGB colours", 2004: "RGBA colours", 2005: "shape",
}  # fmt: skip
_AXES = ("none", "first", "second", "third")
_TEXTS = frozenset({"descrip", "aux_file", "db_name", "data_type", "intent_name", "unused"})
_TYPE_WORDS = {"u": "unsigned integer", "i": "integer", "f": "float", "c": "complex"}


@dataclass(frozen=True, slots=True)
class NiftiDescription:
    """A NIfTI header in words; times in s, `slice_times` one per slice where the file says so."""

    version: int
    byte_order: str
    single_file: bool
    stored_type: str
    bits: int
    slope: float
    intercept: float
    display_range: tuple[float, float] | None
    space_unit: str
    time_unit: str
    intent: str
    intent_code: int
    qform: str
    qform_code: int
    sform: str
    sform_code: int
    slice_order: str
    slice_seconds: float | None
    slice_times: tuple[float, ...]
    frequency_axis: str
    phase_axis: str
    slice_axis: str
    extension_bytes: int


def describe_nifti(header: bytes, *, name: str) -> NiftiDescription:
    """The description of a header of 348 or 540 bytes, as `Image.source.header` holds it."""
    parsed = parse_header(header.ljust(540, b"\0"), name=name)
    fields = np.frombuffer(parsed.raw, dtype=header_dtype(parsed.version, parsed.order))[0]
    units = int(fields["xyzt_units"])
    time_unit = _UNITS.get(units & 0x38, "unknown")
    scale = {"ms": 1e-3, "us": 1e-6}.get(time_unit, 1.0)
    duration = float(fields["slice_duration"]) * scale
    axes = int(fields["dim_info"])
    low, high = float(fields["cal_min"]), float(fields["cal_max"])
    gap = parsed.vox_offset - parsed.size - 4
    slices = parsed.shape[(axes >> 4 & 3) - 1] if axes >> 4 & 3 else (*parsed.shape, 1, 1)[2]
    code = int(fields["slice_code"])
    return NiftiDescription(
        version=parsed.version,
        byte_order="little endian" if parsed.order == "<" else "big endian",
        single_file=parsed.single,
        stored_type=_type_words(parsed.datatype),
        bits=parsed.bitpix,
        slope=parsed.slope if np.isfinite(parsed.slope) and parsed.slope else 1.0,
        intercept=parsed.inter if np.isfinite(parsed.inter) and parsed.slope else 0.0,
        display_range=(low, high) if high > low else None,
        space_unit=_UNITS.get(units & 7, "unknown"),
        time_unit=time_unit,
        intent=_INTENTS.get(parsed.intent, "another statistic"),
        intent_code=parsed.intent,
        qform=_SPACES.get(parsed.qform_code, "unknown code"),
        qform_code=parsed.qform_code,
        sform=_SPACES.get(parsed.sform_code, "unknown code"),
        sform_code=parsed.sform_code,
        slice_order=_ORDERS.get(code, "unknown code"),
        slice_seconds=duration if duration > 0 else None,
        slice_times=_slice_times(
            code, duration, int(fields["slice_start"]), int(fields["slice_end"]), slices
        ),
        frequency_axis=_AXES[axes & 3],
        phase_axis=_AXES[axes >> 2 & 3],
        slice_axis=_AXES[axes >> 4 & 3],
        extension_bytes=max(gap, 0) if parsed.single else 0,
    )


def nifti_fields(header: bytes, *, name: str, texts: bool) -> list[tuple[str, str, str]]:
    """Every field of the header as name, type and value; free texts only where `texts` says so."""
    parsed = parse_header(header.ljust(540, b"\0"), name=name)
    fields = np.frombuffer(parsed.raw, dtype=header_dtype(parsed.version, parsed.order))[0]
    listed = []
    for field in fields.dtype.names or ():
        value = fields[field]
        if field in _TEXTS and bytes(value).strip(b"\0 ") and not texts:
            shown = "(hidden)"
        elif isinstance(value, bytes):
            shown = value.split(b"\0")[0].decode("latin-1")
        elif isinstance(value, np.ndarray):
            shown = " ".join(f"{number:.6g}" for number in value.ravel())
        else:
            shown = f"{value:.6g}" if isinstance(value, np.floating) else str(value)
        listed.append((field, _field_kind(fields.dtype[field].base), shown))
    return listed


def _field_kind(kind: np.dtype[np.generic]) -> str:
    return f"text{kind.itemsize}" if kind.kind == "S" else kind.name


def _type_words(datatype: int) -> str:
    if datatype in COLOURS:
        return "RGB colours" if COLOURS[datatype] == 3 else "RGBA colours"
    code = STORED_TYPES.get(datatype) or COMPLEX.get(datatype)
    if code is None:
        return f"type {datatype}"
    return f"{8 * int(code[1:])}-bit {_TYPE_WORDS[code[0]]}"


def _slice_times(
    code: int, duration: float, start: int, end: int, slices: int
) -> tuple[float, ...]:
    """When each slice was measured, in s after the first (nifti1.h, "SLICE TIMING")."""
    if code not in (1, 2, 3, 4, 5, 6) or duration <= 0 or not 0 <= start <= end < slices <= 4096:
        return ()
    up = list(range(start, end + 1))
    orders = {
        1: up, 2: up[::-1], 3: up[::2] + up[1::2], 4: up[::-1][::2] + up[::-1][1::2],
        5: up[1::2] + up[::2], 6: up[::-1][1::2] + up[::-1][::2],
    }  # fmt: skip
    times = [0.0] * slices
    for rank, number in enumerate(orders[code]):
        times[number] = round(rank * duration, 6)
    return tuple(times)
