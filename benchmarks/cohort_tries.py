"""What was tried to bring a cohort nearer to its network's limit; each way alone, one process.

    python benchmarks/cohort_tries.py threads SCAN   # two scans at once in one process
    python benchmarks/cohort_tries.py memory SCAN    # freed memory kept, or given back
    python benchmarks/cohort_tries.py sizes SCAN     # slices of a size that is new
    python benchmarks/cohort_tries.py margin SCAN    # less air around the head for the network

Processor seconds, since other work on the machine hardly moves them; without report pages.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from leuko.compute import keep_memory
from leuko.formats.read import read_scan
from leuko.image.image import to_canonical
from leuko.inference.predict import predict
from leuko.models.channels import input_channels
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.observe import prepared_for
from leuko.pipelines.segment import segment_file
from leuko.preparation import prepare

CONFIG = SegmentConfig(report=False)
SCANS = 8
MARGINS_MM = (8.0, 4.0, 0.0)
LESION = 0.5  # probability


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of them."""
    tries: dict[str, Callable[[Path], None]] = {
        "threads": threads, "memory": memory, "sizes": sizes, "margin": margin,
    }  # fmt: skip
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=tries)
    parser.add_argument("scan", type=Path)
    given = parser.parse_args(arguments)
    tries[given.what](given.scan)


def threads(scan: Path) -> None:
    """Scans one after the other, and two at once in threads that share a model."""
    model = load_model(CONFIG)
    for at_once in (1, 2, 1, 2):
        wall, cpu, _ = segmented(scan, model, at_once=at_once)
        print(f"{at_once} at once: {wall:.3f} s a scan, {cpu:.3f} s of processor time", flush=True)


def memory(scan: Path) -> None:
    """Before and after this process keeps its memory."""
    model = load_model(CONFIG, threads=1)
    for how in ("given back", "kept"):
        if how == "kept":
            keep_memory()
        _, cpu, kernel = segmented(scan, model)
        print(f"{how}: {cpu:.3f} s of processor time a scan, {kernel:.3f} s the kernel's")


def segmented(scan: Path, model: Model, *, at_once: int = 1) -> tuple[float, float, float]:
    """Seconds a scan: wall, processor, and of the processor's those of the kernel."""
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(at_once) as pool:

        def one(number: int) -> None:
            segment_file(scan, out=Path(home) / f"{number}", config=CONFIG, model=model)

        one(-1)
        wall, cpu, kernel = time.perf_counter(), time.process_time(), _kernel_s()
        list(pool.map(one, range(SCANS)))
        wall, cpu, kernel = (
            time.perf_counter() - wall, time.process_time() - cpu, _kernel_s() - kernel
        )  # fmt: skip
    return wall / SCANS, cpu / SCANS, kernel / SCANS


def sizes(scan: Path) -> None:
    """The first slice of a new size, and the next ones."""
    model = load_model(CONFIG, threads=1)
    engine, prepared = model.engine, _prepared(model, scan)
    _, height, width = prepared.slices.shape
    channels = input_channels(len(prepared.neighbours), t1=prepared.t1 is not None)
    for size, columns in (("first", width), ("second", width - 16)):
        shown = np.zeros((1, channels, height, columns), dtype=np.float32)
        seconds = [_processor_s(partial(engine, shown)) for _ in range(SCANS)]
        print(f"{size} size: {seconds[0]:.3f} s, then {min(seconds[1:]):.3f} s a slice")


def margin(scan: Path) -> None:
    """The network's time, and its lesions against those with the usual margin (Dice)."""
    model = load_model(CONFIG, threads=1)
    usual = None
    for prepare.MARGIN_MM in MARGINS_MM:
        prepared = _prepared(model, scan)
        predict(prepared, engine=model.engine)
        job = partial(predict, prepared, engine=model.engine)
        seconds = min(_processor_s(job), _processor_s(job))
        found = predict(prepared, engine=model.engine).lesion > LESION
        usual = found if usual is None else usual
        dice = 2 * np.count_nonzero(found & usual) / (found.sum() + usual.sum())
        print(
            f"{prepare.MARGIN_MM:.0f} mm: slices of {prepared.slices.shape[1:]}, {seconds:.2f} s, "
            f"Dice {dice:.3f}", flush=True,
        )  # fmt: skip


def _prepared(model: Model, scan: Path) -> prepare.Prepared:
    image = read_scan(scan)
    data = np.ascontiguousarray(to_canonical(image.data, image.grid))
    return prepared_for(model.card, data, spacing=image.grid.canonical().spacing)


def _processor_s(job: Callable[[], object]) -> float:
    began = time.process_time()
    job()
    return time.process_time() - began


def _kernel_s() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_stime


if __name__ == "__main__":
    main()
