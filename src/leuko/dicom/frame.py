"""One plane of an image and the file it lies in: what a header says, decoded, without pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Frame", "Instance", "Vector"]

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Instance:
    """A SOP instance (a file): how its pixels are stored and what all of its frames share.

    `pixels` are tag, offset and length of the pixel data (0xFFFFFFFF: encapsulated); `patient` is
    a digest that only serves to tell patients apart.
    """

    path: str
    size: int
    syntax: str
    little: bool
    pixels: tuple[int, int, int]
    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    frames: int
    padding: tuple[float, ...]
    lossy: bool
    burned_in: bool
    sop_class: str
    sop_uid: str
    series_uid: str
    study_uid: str
    frame_of_reference: str
    patient: str
    modality: str
    series_number: int
    series_time: str
    description: str
    protocol: str
    manufacturer: str
    model: str
    software: str
    body_part: str
    number: int


class Frame(NamedTuple):
    """A plane: where it lies (LPS, mm), what was measured, how stored numbers become values.

    `nth` counts the planes of the file from 0. `position` is the centre of the first pixel,
    `orientation` the direction along a row and that along a column, `spacing` the distance of rows
    and that of columns (PS3.3 C.7.6.2). `tile` is the number of the plane in a mosaic with `tiles`
    tiles side by side. Echo, repetition and inversion times are in ms, `time` in seconds. `dims`
    are the dimension indices that do not count places, `real_world` slope and intercept of a
    real-world value map; `refusal` says why the plane cannot be used.

    A tuple, because a file may hold thousands of planes that differ in two values.
    """

    instance: Instance
    nth: int = 0
    tile: int = -1
    tiles: int = 1
    rows: int = 0
    columns: int = 0
    position: Vector | None = None
    orientation: tuple[Vector, Vector] | None = None
    spacing: tuple[float, float] | None = None
    thickness: float | None = None
    slope: float = 1.0
    inter: float = 0.0
    image_type: tuple[str, ...] = ()
    component: str = "magnitude"
    echo_time: float | None = None
    echo: int = 0
    repetition_time: float | None = None
    inversion_time: float | None = None
    flip_angle: float | None = None
    scanning: tuple[str, ...] = ()
    sequence: str = ""
    contrast: str = ""
    coil: str = ""
    b_value: float | None = None
    direction: Vector | None = None
    temporal: int = 0
    trigger: float | None = None
    time: float | None = None
    acquisition: int = 0
    number: int = 0
    stack_id: str = ""
    label: str = ""
    dims: tuple[int, ...] = ()
    real_world: tuple[float, float] | None = None
    refusal: str = ""
    refusal_hint: str = ""
