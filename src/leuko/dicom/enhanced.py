"""Multi-frame objects: what each frame is, from its own functional groups, then the shared ones.

Enhanced MR and CT, their legacy converted kin, and any object with per-frame groups (PS3.3
C.7.6.16). The order of frames in the file means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leuko.dicom.diffusion import vector_of
from leuko.dicom.elements import Elements
from leuko.dicom.frame import Frame
from leuko.dicom.header import (
    NotAnImage,
    complex_component,
    component_of,
    instant,
    orientation_of,
    pixel_spacing,
    position_of,
    real_world,
    thickness,
)

__all__ = ["PER_FRAME", "SHARED", "frames_of_groups"]

SHARED, PER_FRAME = 0x52009229, 0x52009230
_POSITION, _ORIENTATION, _MEASURES, _VALUES = 0x00209113, 0x00209116, 0x00289110, 0x00289145
_CONTENT, _ECHO, _TIMING, _MODIFIER = 0x00209111, 0x00189114, 0x00189112, 0x00189115
_DIFFUSION, _CARDIAC, _LABELING, _TIME = 0x00189117, 0x00189118, 0x00189251, 0x00209310
_CONVERTED = (0x00209171, 0x00209170)
_TYPES = (0x00189226, 0x00189329, 0x00189732)  # MR, CT, PET
_CONTRAST = 0x00189341
_SPATIAL = frozenset({0x00209056, 0x00209057, 0x00200032, 0x00209113})


Known = dict[tuple[int, bytes], dict[str, Any]]


def frames_of_groups(data: Elements, frame: Frame) -> list[Frame]:
    """Every frame of the file; `frame` holds what its top level says."""
    groups = data.items(PER_FRAME)
    if len(groups) < frame.instance.frames:
        raise NotAnImage(
            f"damaged: it claims {frame.instance.frames} frames and describes {len(groups)}"
        )
    shared = data.item(SHARED)
    known: Known = {}
    base = frame._replace(position=None, **_values(shared, known)) if shared else frame
    base = base._replace(scanning=_scanning(data, base), sequence=_sequence(data, base))
    if base.position is None and frame.position and len(groups) == 1:
        base = base._replace(position=frame.position)
    others = _other_dimensions(data)
    found = []
    for index, group in enumerate(groups[: frame.instance.frames]):
        values = _values(group, known)
        dims = values.get("dims")
        if dims:
            values["dims"] = tuple([int(dims[k]) for k in others if k < len(dims)])
        found.append(base._replace(nth=index, **values))
    return found


def _scanning(data: Elements, base: Frame) -> tuple[str, ...]:
    """Scanning Sequence as classic objects give it: SE, GR, EP, IR."""
    words = [{"SPIN": "SE", "GRADIENT": "GR"}.get(data.text(0x00189008), "")]
    words.append("EP" if data.text(0x00189018) == "YES" else "")
    words.append("IR" if base.inversion_time else "")
    return tuple(word for word in words if word) or base.scanning


def _sequence(data: Elements, base: Frame) -> str:
    return base.sequence or data.text(0x00189005)


def _values(group: Elements, known: Known) -> dict[str, Any]:
    """What one item of functional groups says, by the names of Frame's fields.

    Most groups are the same bytes in every frame: `known` keeps what they said.
    """
    values: dict[str, Any] = {}
    buffer = group.buffer
    for tag, (_, start, length) in group.places.items():
        read = _READERS.get(tag)
        if read is None:
            continue
        key = tag, buffer[start : start + length]
        said = known.get(key)
        if said is None:
            said = known[key] = {}
            item = group.item(tag)
            if item is not None:
                read(item, said)
        values.update(said)
    return values


def _position(item: Elements, values: dict[str, Any]) -> None:
    values["position"] = position_of(item.numbers(0x00200032))


def _orientation(item: Elements, values: dict[str, Any]) -> None:
    values["orientation"] = orientation_of(item.numbers(0x00200037))


def _measures(item: Elements, values: dict[str, Any]) -> None:
    _set(values, "spacing", pixel_spacing(item))
    _set(values, "thickness", thickness(item))


def _pixel_values(item: Elements, values: dict[str, Any]) -> None:
    slope, inter = item.number(0x00281053), item.number(0x00281052)
    values["slope"] = slope if slope else 1.0
    values["inter"] = inter or 0.0


def _content(item: Elements, values: dict[str, Any]) -> None:
    places = item.places
    if 0x00209056 in places:
        values["stack_id"] = item.text(0x00209056)
    temporal = item.whole_number(0x00209128) if 0x00209128 in places else 0
    if temporal:
        values["temporal"] = temporal
    else:  # what else may order frames in time
        _set(values, "acquisition", item.whole_number(0x00209156) or None)
        _set(values, "time", instant(item.text(0x00189074)))
    if 0x00209157 in places:
        values["dims"] = item.numbers(0x00209157)


def _echo(item: Elements, values: dict[str, Any]) -> None:
    _set(values, "echo_time", item.number(0x00189082))


def _timing(item: Elements, values: dict[str, Any]) -> None:
    _set(values, "repetition_time", item.number(0x00180080))
    _set(values, "flip_angle", item.number(0x00181314))


def _modifier(item: Elements, values: dict[str, Any]) -> None:
    if item.text(0x00189009) == "YES":
        _set(values, "inversion_time", item.number(0x00189079))


def _type(item: Elements, values: dict[str, Any]) -> None:
    types = tuple(part.upper() for part in item.texts(0x00089007))
    values["image_type"] = types
    values["component"] = complex_component(item.text(0x00089208)) or component_of(types)


def _diffusion(item: Elements, values: dict[str, Any]) -> None:
    _set(values, "b_value", item.number(0x00189087))
    direction = item.item(0x00189076)
    if direction is not None:
        _set(values, "direction", vector_of(direction.numbers(0x00189089)))
    _set(values, "label", item.text(0x00189075) or None)


def _cardiac(item: Elements, values: dict[str, Any]) -> None:
    _set(values, "trigger", item.number(0x00209153))


def _labeling(item: Elements, values: dict[str, Any]) -> None:
    _set(values, "label", item.text(0x00189257) or None)


def _offset(item: Elements, values: dict[str, Any]) -> None:
    seconds = item.number(0x0020930D)
    _set(values, "trigger", None if seconds is None else seconds * 1000.0)


def _contrast(item: Elements, values: dict[str, Any]) -> None:
    if item.text(0x00189342) == "YES" or item.text(0x00189343) == "YES":
        values["contrast"] = "administered"


def _real_world(item: Elements, values: dict[str, Any]) -> None:
    _set(values, "real_world", real_world(item))


def _converted(item: Elements, values: dict[str, Any]) -> None:
    """Legacy converted objects keep what has no group of its own as single elements."""
    _set(values, "echo_time", item.number(0x00180081))
    _set(values, "repetition_time", item.number(0x00180080))
    _set(values, "inversion_time", item.number(0x00180082))
    _set(values, "flip_angle", item.number(0x00181314))
    _set(values, "temporal", item.whole_number(0x00200100) or None)
    _set(values, "trigger", item.number(0x00181060))
    _set(values, "acquisition", item.whole_number(0x00200012) or None)


_READERS = {
    _POSITION: _position, _ORIENTATION: _orientation, _MEASURES: _measures,
    _VALUES: _pixel_values, _CONTENT: _content, _ECHO: _echo, _TIMING: _timing,
    _MODIFIER: _modifier, _DIFFUSION: _diffusion, _CARDIAC: _cardiac, _LABELING: _labeling,
    0x00409096: _real_world,
    _TIME: _offset, _CONTRAST: _contrast,
    **dict.fromkeys(_TYPES, _type), **dict.fromkeys(_CONVERTED, _converted),
}  # fmt: skip


def _set(values: dict[str, Any], name: str, value: object) -> None:
    if value is not None:
        values[name] = value


def _other_dimensions(data: Elements) -> Sequence[int]:
    """Which of the dimension indices do not count places."""
    pointers = []
    for item in data.items(0x00209222):
        raw = item.raw(0x00209165)
        order = "little" if item.little else "big"
        pointers.append(
            int.from_bytes(raw[:2], order) << 16 | int.from_bytes(raw[2:4], order)  # type: ignore[arg-type]
        )
    return [k for k, pointer in enumerate(pointers) if pointer not in _SPATIAL]
