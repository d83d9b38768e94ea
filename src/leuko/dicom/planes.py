"""The planes of a file, whatever kind of object it is."""

from __future__ import annotations

from leuko.dicom.elements import Malformed
from leuko.dicom.enhanced import PER_FRAME, frames_of_groups
from leuko.dicom.frame import Frame
from leuko.dicom.header import classic_frame, instance_of
from leuko.dicom.mosaic import tiles_of
from leuko.dicom.part10 import Header

__all__ = ["frames_of"]

_MOST_FRAMES = 1_000_000


def frames_of(header: Header, path: str) -> list[Frame]:
    """All planes of the file at `path`.

    Raises NotAnImage for objects that hold none, Malformed where it claims more than it can hold.
    """
    data = header.elements
    instance = instance_of(header, path)
    if instance.frames > min(_MOST_FRAMES, max(header.size, len(data.buffer)) // 2):
        raise Malformed
    frame = classic_frame(data, instance)
    if PER_FRAME in data:
        return frames_of_groups(data, frame)
    if instance.frames > 1:
        bare = frame._replace(position=None)
        return [bare._replace(nth=index) for index in range(instance.frames)]
    return tiles_of(data, frame) or [frame]
