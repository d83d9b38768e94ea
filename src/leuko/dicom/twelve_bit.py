"""JPEG of 12 bits (Process 4), which only GDCM decodes: in a process of its own.

GDCM ends the whole process on some damaged streams, and writes its warnings past Python. This
module is both sides: `decode_frames` starts it, and as a program it writes what GDCM decoded.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import numpy.typing as npt

__all__ = ["decode_frames"]

_SECONDS = 120


def decode_frames(path: str, *, shape: tuple[int, int, int]) -> npt.NDArray[np.uint16] | None:
    """All frames of the file, `shape` (frames, rows, columns); None where they cannot be had."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "leuko.dicom.twelve_bit", path],
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0 or len(done.stdout) != 2 * int(np.prod(shape)):
        return None
    return np.frombuffer(done.stdout, dtype=np.uint16).reshape(shape)


def _write_decoded(path: str) -> int:
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(path)
    if not reader.Read():
        return 1
    decoded = reader.GetImage().GetBuffer()  # text that stands for bytes
    sys.stdout.buffer.write(decoded.encode("utf-8", "surrogateescape"))
    return 0


if __name__ == "__main__":
    sys.exit(_write_decoded(sys.argv[1]))
