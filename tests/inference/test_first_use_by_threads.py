"""The engine's very first inference may come from several threads at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FIRST_USE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
sys.setswitchinterval(1e-6)
import numpy as np
from leuko.inference import openvino_engine
from leuko.models import store
card = store.load_card()
channels = card.options["in_channels"]
engine = openvino_engine.load(store.weights_path(card), precision="f32", threads=2)
barrier = threading.Barrier(2)
def job(_):
    barrier.wait()
    return engine(np.zeros((1, channels, 64, 64), np.float32)).shape
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(job, range(2))))
"""


def test_two_threads_never_wait_for_each_other(repository: Path) -> None:
    """Without care OpenVINO's Python layer deadlocks here now and then: many fresh processes."""
    for _ in range(6):
        done = subprocess.run(
            [sys.executable, "-c", FIRST_USE],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=repository,
            check=True,
        )
        assert done.stdout.count("(1, 10, 64, 64)") == 2
