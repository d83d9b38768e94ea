"""OpenVINO on the processor: the one door to openvino, through which nothing calls home."""

from __future__ import annotations

import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.compute import has_fast_bf16, thread_count
from leuko.errors import ReadError, UsageError

__all__ = ["OpenVinoEngine", "load", "save"]

FloatArray = npt.NDArray[np.float32]
MOST_WORKERS = 16  # each holds its own activations


class OpenVinoEngine:
    """A compiled graph; one single-threaded stream a worker.

    That each slice is computed alone by one thread makes the result independent, bit by bit, of
    how many threads there are, and costs nothing: slices are plenty.
    """

    name = "openvino"
    batch = 1

    def __init__(self, graph: Any, *, precision: str, workers: int) -> None:
        self.precision = precision
        self.workers = workers
        self._graph = graph
        self._lock = threading.Lock()
        self._shape: tuple[int, ...] = ()
        self._compiled: Any = None
        self._requests = threading.local()

    def __call__(self, slices: FloatArray) -> FloatArray:
        """Probabilities (n, classes, H, W) of slices (n, 3, H, W); see `Engine`."""
        if len(slices) == 1:
            return self._one(slices)
        # A request's next result takes the place of its last one.
        return np.concatenate([self._one(image[None]).copy() for image in slices])

    def _one(self, image: FloatArray) -> FloatArray:
        request = self._request(image.shape)
        results = request.infer([image], share_inputs=True, share_outputs=True)
        probabilities: FloatArray = results[0]
        return probabilities

    def _request(self, shape: tuple[int, ...]) -> Any:
        """This thread's own request for slices of `shape`; compiles when the shape is new."""
        with self._lock:
            if shape != self._shape:
                self._compiled = self._compile(shape)
                self._shape = shape
            compiled = self._compiled
        held = self._requests
        if getattr(held, "compiled", None) is not compiled:
            held.request = compiled.create_infer_request()
            held.compiled = compiled
        return held.request

    def _compile(self, shape: tuple[int, ...]) -> Any:
        self._graph.reshape(list(shape))
        compiled = _core().compile_model(
            self._graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": self.precision,
                "NUM_STREAMS": str(self.workers),
                "INFERENCE_NUM_THREADS": str(self.workers),
                "ENABLE_CPU_PINNING": False,
                # Nothing is left on the user's disk; compiling takes a tenth of a second.
                "CACHE_DIR": "",
            },
        )
        # OpenVINO's Python layer looks up numpy's types at its first inference; two threads that
        # do so at once can wait for each other for ever. Here only one is let in.
        compiled.create_infer_request().infer([np.zeros(shape, dtype=np.float32)])
        return compiled


def load(weights: Path, *, precision: str = "auto", threads: int | None = None) -> OpenVinoEngine:
    """The engine for a graph (.xml with its .bin); see `load_engine` for the arguments."""
    if precision == "bf16" and not has_fast_bf16():
        raise UsageError(
            "This processor does not compute in bf16 (it has neither AMX nor AVX512_BF16).",
            hint="Use --precision f32, or auto.",
        )
    chosen = precision if precision != "auto" else ("bf16" if has_fast_bf16() else "f32")
    try:
        graph = _core().read_model(weights)
    except RuntimeError as error:
        raise ReadError(
            f"{weights.name} is not a graph that OpenVINO can read.",
            hint="Install leuko again, or export the weights again.",
        ) from error
    workers = max(1, min(MOST_WORKERS, thread_count() if threads is None else threads))
    return OpenVinoEngine(graph, precision=chosen, workers=workers)


def save(model: Any, path: Path, *, example: Any, half: bool = True) -> None:
    """Convert a torch module in evaluation mode to a graph file (.xml, and .bin beside it).

    The model is only passed on: nothing here imports torch. `example` is an input of the model;
    batch, height and width stay open. `half` stores weights as f16.
    """
    openvino = _openvino()
    graph = openvino.convert_model(model, example_input=example)
    channels = int(example.shape[1])
    graph.reshape([-1, channels, -1, -1])
    openvino.save_model(graph, path, compress_to_fp16=half)


def _openvino() -> Any:
    """The openvino module, its telemetry stopped before it can start.

    Importing openvino sends an event to a web analytics service unless the module
    openvino_telemetry is missing; a None in sys.modules makes it so for this process.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


@cache
def _core() -> Any:
    """OpenVINO's runtime, one for the process."""
    return _openvino().Core()
