"""OpenVINO on the processor: the one door to openvino, through which nothing calls home."""

from __future__ import annotations

import sys
import threading
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.compute import has_fast_bf16, thread_count
from leuko.errors import ReadError, UsageError

__all__ = ["Graph", "OpenVinoEngine", "load", "load_graph", "save"]

FloatArray = npt.NDArray[np.float32]
MOST_WORKERS = 16  # each holds its own activations
KEPT = 8  # activations that are kept for the sizes of the next scans: compiling takes .1 s


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
        self._compiled: dict[tuple[int, ...], Any] = {}  # by shape, the last one used at the end
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
            compiled = self._compiled.pop(shape, None) or _compile(
                self._graph, shape, precision=self.precision, workers=self.workers
            )
            self._compiled[shape] = compiled
            while len(self._compiled) > max(1, KEPT // self.workers):
                del self._compiled[next(iter(self._compiled))]
        held = self._requests
        if getattr(held, "compiled", None) is not compiled:
            held.request = compiled.create_infer_request()
            held.compiled = compiled
        return held.request


class Graph:
    """Any exported network: a batch (n, C, *spatial) in, what the graph gives for it out.

    As with `OpenVinoEngine` each image of the batch is computed alone by one thread, as many at a
    time as there are workers, so that results don't depend on the number of threads.
    """

    def __init__(self, graph: Any, *, precision: str, workers: int) -> None:
        self.precision = precision
        self.workers = workers
        self._graph = graph
        self._lock = threading.Lock()
        self._shape: tuple[int, ...] = ()
        self._queue: Any = None

    def __call__(self, batch: FloatArray) -> FloatArray:
        """What the graph gives for a batch, float32; the size may change from call to call.

        UsageError for an empty batch, or one whose axes or channels the graph does not take.
        """
        images = np.ascontiguousarray(batch, dtype=np.float32)
        if not images.size:
            raise UsageError("The batch holds no images.", hint="Pass at least one.")
        found: list[Any] = [None] * len(images)

        def keep(request: Any, index: int) -> None:
            found[index] = request.get_output_tensor(0).data.copy()

        with self._lock:
            queue = self._prepared((1, *images.shape[1:]))
            queue.set_callback(keep)
            for index in range(len(images)):
                queue.start_async([images[index : index + 1]], index, share_inputs=True)
            queue.wait_all()
        return np.concatenate(found).astype(np.float32, copy=False)

    def _prepared(self, shape: tuple[int, ...]) -> Any:
        """The requests for images of `shape`; compiles when the shape is new."""
        if shape != self._shape:
            try:
                compiled = _compile(
                    self._graph, shape, precision=self.precision, workers=self.workers
                )
            except RuntimeError as error:
                raise UsageError(
                    f"The network cannot take images of shape {shape[1:]} (channels first).",
                    hint="Its channels are fixed, and sizes must be multiples of its stride.",
                ) from error
            self._queue = _openvino().AsyncInferQueue(compiled, self.workers)
            self._shape = shape
        return self._queue


def _compile(graph: Any, shape: tuple[int, ...], *, precision: str, workers: int) -> Any:
    """The graph compiled for inputs of `shape`: `workers` streams of one thread each."""
    graph.reshape(list(shape))
    compiled = _core().compile_model(
        graph,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": str(workers),
            "INFERENCE_NUM_THREADS": str(workers),
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
    graph, chosen, workers = _read(weights, precision=precision, threads=threads)
    return OpenVinoEngine(graph, precision=chosen, workers=workers)


def load_graph(path: Path, *, precision: str = "auto", threads: int | None = None) -> Graph:
    """Any exported network (.xml with its .bin), 2D or 3D, segmenting or classifying.

    The arguments are those of `load_engine`.
    """
    graph, chosen, workers = _read(path, precision=precision, threads=threads)
    return Graph(graph, precision=chosen, workers=workers)


def _read(weights: Path, *, precision: str, threads: int | None) -> tuple[Any, str, int]:
    """The graph in a file, the precision chosen for it, and how many to compute at a time."""
    if precision == "bf16" and not has_fast_bf16():
        raise UsageError(
            "This processor does not compute in bf16 (it has neither AMX nor AVX512_BF16).",
            hint="Use --precision f32, or auto.",
        )
    chosen = precision if precision != "auto" else ("bf16" if has_fast_bf16() else "f32")
    try:
        graph = _core().read_model(weights, _numbers(weights))
    except RuntimeError as error:
        raise ReadError(
            f"{weights.name} is not a graph that OpenVINO can read.",
            hint="Install leuko again, or export the weights again.",
        ) from error
    return graph, chosen, max(1, min(MOST_WORKERS, thread_count() if threads is None else threads))


def _numbers(graph: Path) -> Path:
    """The file with a graph's constants: .bin, or a checkpoint of torch that it points into."""
    beside = graph.with_suffix(".bin")
    return beside if beside.exists() else graph.with_suffix(".pt")


def save(model: Any, path: Path, *, example: Any, half: bool = True) -> None:
    """Convert a torch module in evaluation mode to a graph file (.xml, and .bin beside it).

    The model is only passed on: nothing here imports torch. `example` is an input of the model
    (N, C, *spatial); the batch and the spatial axes stay open. `half` stores weights as f16.
    """
    openvino = _openvino()
    with warnings.catch_warnings():
        # torch's own normalisations check their input's size, which tracing complains of.
        warnings.filterwarnings("ignore", message="Converting a tensor to a Python")
        graph = openvino.convert_model(model, example_input=example)
    channels, spatial = int(example.shape[1]), len(example.shape) - 2
    graph.reshape([-1, channels, *[-1] * spatial])
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
