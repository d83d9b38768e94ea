"""The planes of a file, whatever kind of object it is."""

from __future__ import annotations

from dataclasses import replace

from leuko.dicom.frame import Frame
from leuko.dicom.header import classic_frame, instance_of
from leuko.dicom.part10 import Header

__all__ = ["frames_of"]


def frames_of(header: Header, path: str) -> list[Frame]:
    """All planes of the file at `path`. Raises NotAnImage for objects that hold none."""
    data = header.elements
    instance = instance_of(header, path)
    frame = classic_frame(data, instance)
    if instance.frames > 1:
        bare = replace(frame, position=None)
        return [replace(bare, index=index) for index in range(instance.frames)]
    return [frame]
