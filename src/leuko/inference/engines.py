"""What runs a network, by name; importing this module loads no engine."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from leuko.errors import MissingExtra, UsageError
from leuko.models.card import Card
from leuko.models.store import checkpoint_path, weights_path

__all__ = ["ENGINES", "Engine", "EngineRecord", "FloatArray", "load_engine"]

FloatArray = npt.NDArray[np.float32]


class Engine(Protocol):
    """A loaded network: (n, 3, H, W) float32 slices to (n, classes, H, W) float32 probabilities.

    H and W are multiples of 16. Up to `workers` threads may call it at the same time, best with
    `batch` slices a call. What a call returns is valid until the same thread's next call. The
    result of a slice does not depend on the other slices nor on the number of threads.
    """

    @property
    def name(self) -> str:
        """The key in ENGINES, and the device where there are several."""

    @property
    def precision(self) -> str:
        """'f32' or 'bf16'."""

    @property
    def workers(self) -> int:
        """How many calls may run at the same time."""

    @property
    def batch(self) -> int:
        """How many slices a call should bring."""

    def __call__(self, slices: FloatArray) -> FloatArray:
        """Probabilities of slices."""


class _Factory(Protocol):
    def __call__(self, weights: Path, *, precision: str, threads: int | None) -> Engine: ...


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """Where an engine is defined, which file it runs, what it needs and what it is for."""

    module: str
    weights: str  # 'graph' or 'checkpoint'
    extra: str | None
    summary: str


ENGINES: Mapping[str, EngineRecord] = MappingProxyType(
    {
        "openvino": EngineRecord(
            "leuko.inference.openvino_engine", "graph", None, "processor, through OpenVINO"
        ),
        "torch": EngineRecord(
            "leuko.inference.torch_engine",
            "checkpoint",
            "train",
            "graphics card, or processor, through PyTorch",
        ),
    }
)


def load_engine(
    name: str,
    card: Card,
    *,
    folder: Path | None = None,
    precision: str = "auto",
    threads: int | None = None,
) -> Engine:
    """The engine `name` ('auto', or a key of ENGINES) with the weights of `card`, ready to run.

    `folder` holds the weights (default: the package's); precision: 'auto', 'f32' or 'bf16';
    `threads`: at most so many processors (default: all that this process may use). UsageError for
    an unknown name or an impossible precision, ReadError for bad weights, MissingExtra.
    """
    chosen = "openvino" if name == "auto" else name
    record = ENGINES.get(chosen)
    if record is None:
        raise UsageError(
            f"There is no engine '{name}'.", hint=f"Choose from: auto, {', '.join(ENGINES)}."
        )
    if precision not in ("auto", "f32", "bf16"):
        raise UsageError(
            f"There is no precision '{precision}'.", hint="Choose from: auto, f32, bf16."
        )
    find = weights_path if record.weights == "graph" else checkpoint_path
    weights = find(card, folder=folder)
    try:
        module = importlib.import_module(record.module)
    except ModuleNotFoundError as error:
        if record.extra is None or error.name is None or error.name.startswith("leuko"):
            raise
        raise MissingExtra.needed(
            f"The engine '{chosen}'", extra=record.extra, modules=[error.name]
        ) from None
    factory = cast(_Factory, module.load)
    return factory(weights, precision=precision, threads=threads)
