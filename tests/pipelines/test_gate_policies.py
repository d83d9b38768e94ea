"""What strict, default and lenient make of scans with warnings and of what is no FLAIR."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leuko.errors import UnusableInput
from leuko.formats.read import read_scan
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.observe import observe
from leuko.progress import Journal


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(SegmentConfig())


@pytest.fixture(scope="module")
def flair(shared_data: Path) -> Image:
    return read_scan(shared_data / "wmh/tabriz/104252/flair.nii.gz")


@pytest.fixture(scope="module")
def ghosted(flair: Image) -> Image:
    """Every other line of k-space is weaker."""
    axis = int(np.argmax(flair.data.shape))
    lines = np.fft.fft(np.asarray(flair.data, np.float32), axis=axis)
    shape = [1, 1, 1]
    shape[axis] = -1
    weaker = np.where(np.arange(lines.shape[axis]) % 2, 0.88, 1.0).reshape(shape)
    data = np.abs(np.fft.ifft(lines * weaker, axis=axis)).astype(np.float32)
    return flair.with_data(data)


def seen(image: Image, model: Model, policy: str) -> set[str]:
    config = SegmentConfig(policy=policy)
    return {
        finding.code
        for finding in observe(image, config=config, model=model, journal=Journal()).findings
    }


def test_a_good_flair_passes_strictly(flair: Image, model: Model) -> None:
    assert not {code for code in seen(flair, model, "strict") if code.startswith("scan.")}


def test_a_ghosted_flair_is_a_warning_and_strict_refuses_it(ghosted: Image, model: Model) -> None:
    assert "scan.motion" in seen(ghosted, model, "default")
    with pytest.raises(UnusableInput, match="moved") as refused:
        seen(ghosted, model, "strict")
    assert "--lenient" in refused.value.hint


def test_a_t1_is_refused_and_lenient_goes_on(shared_data: Path, model: Model) -> None:
    t1 = read_scan(shared_data / "wmh/tabriz/104252/t1.nii.gz")
    with pytest.raises(UnusableInput, match="T1-weighted"):
        seen(t1, model, "default")
    assert "scan.wrong_contrast" in seen(t1, model, "lenient")
