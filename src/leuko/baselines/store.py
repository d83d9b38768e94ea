"""A baseline as one .npz file that is safe to open: numbers and text, nothing that runs.

A trained method is stored as the voxels that it learns from, not as the trained classifier:
scikit-learn keeps those by pickle, which runs whatever a file says, and promises nothing across its
versions. Learning again takes seconds and gives the same classifier.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Annotated, Literal

import msgspec
import numpy as np

from leuko.baselines.features import feature_names
from leuko.baselines.learn import library_version
from leuko.baselines.model import Baseline
from leuko.baselines.registry import METHODS
from leuko.errors import ReadError

__all__ = ["pack", "unpack"]

MOST_BYTES = 1 << 29
_NOT_OURS = "It is written by: leuko baseline fit."


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says of itself, as JSON. `library`: the scikit-learn that chose the cut."""

    kind: Literal["leuko baseline"]
    version: Literal[1]
    method: str
    parameters: dict[str, float]
    channels: Annotated[int, msgspec.Meta(ge=1, le=64)]
    region: Literal["brain", "foreground", "all", "files"]
    features: tuple[str, ...]
    seed: int
    images: int
    training_dice: float | None
    library: str


def pack(baseline: Baseline) -> bytes:
    """The file's content; the same baseline gives the same bytes."""
    dice = baseline.training_dice
    trained = METHODS[baseline.method].trained
    header = Header(
        kind="leuko baseline",
        version=1,
        method=baseline.method,
        parameters=dict(baseline.parameters),
        channels=baseline.channels,
        region=baseline.region,  # type: ignore[arg-type]
        features=feature_names(baseline.channels) if trained else (),
        seed=baseline.seed,
        images=baseline.images,
        training_dice=None if math.isnan(dice) else dice,
        library=library_version() if trained else "",
    )
    out = io.BytesIO()
    np.savez_compressed(
        out,
        header=np.frombuffer(msgspec.json.encode(header), dtype=np.uint8),
        features=baseline.features,
        lesion=baseline.lesion,
    )
    return out.getvalue()


def unpack(content: bytes, *, name: str) -> Baseline:
    """The baseline in a file's content. Raises ReadError (exit 3) for anything else.

    `name` is the file's, for messages.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ReadError(f"{name} is too large for a baseline.", hint=_NOT_OURS)
        with np.load(io.BytesIO(content), allow_pickle=False) as held:
            header = msgspec.json.decode(held["header"].tobytes(), type=Header)
            features, lesion = held["features"], held["lesion"]
    except ReadError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ReadError(f"{name} is no baseline.", hint=_NOT_OURS) from error
    return _checked(header, features, lesion, name=name)


def _checked(header: Header, features: np.ndarray, lesion: np.ndarray, *, name: str) -> Baseline:
    method = METHODS.get(header.method)
    wanted = feature_names(header.channels)
    if (
        method is None
        or set(header.parameters) != set(method.defaults)
        or features.dtype != np.float32
        or lesion.dtype != np.bool_
        or features.shape != (len(lesion), len(wanted))
        or not np.isfinite(features).all()
        or (method.trained and (header.features != wanted or not 0 < lesion.sum() < len(lesion)))
    ):
        raise ReadError(
            f"{name} is a baseline that this version does not know, or it is damaged.",
            hint="Fit it again with this version.",
        )
    dice = header.training_dice
    return Baseline(
        method=header.method,
        parameters=header.parameters,
        channels=header.channels,
        region=header.region,
        features=features,
        lesion=lesion,
        seed=header.seed,
        training_dice=math.nan if dice is None else dice,
        images=header.images,
    )
