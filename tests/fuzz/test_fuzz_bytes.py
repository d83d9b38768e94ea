"""Real files with damaged bytes are read sanely or refused plainly (`make fuzz` runs for long)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_mutations import mutate

FUZZ = Path(__file__).parent / "fuzz_run.py"
CASES = 1500


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
def test_damaged_files_are_read_sanely_or_refused_plainly(shared_data: Path) -> None:
    """No crash, no hang, no traceback, no memory beyond 1.2 GB, no other image in silence."""
    done = subprocess.run(
        [sys.executable, FUZZ, "--data", shared_data, "--cases", str(CASES)],
        capture_output=True, text=True, timeout=500, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{CASES} cases" in done.stdout


def test_the_same_number_is_the_same_damage() -> None:
    """So that a case that was found can be repeated."""
    content = bytes(range(256)) * 8
    for number in range(200):
        first = mutate(content, random.Random(number))
        assert first == mutate(content, random.Random(number))
    assert len({mutate(content, random.Random(n))[1] for n in range(200)}) > 150
