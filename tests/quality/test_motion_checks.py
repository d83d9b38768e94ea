"""Motion and detail, from heads that moved line by line and heads that lay still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from leuko.findings import Severity
from leuko.formats.read import read_scan
from leuko.image.image import to_canonical
from leuko.quality.acquisition import acquisition_checks, acquisition_of

Array = npt.NDArray[Any]
SPACING = (1.0, 1.0, 6.0)
SHAPE = (160, 192, 14)


def head(*, seed: int = 0, noise: float = 1.0) -> tuple[Array, Array]:
    """Slices of an ellipsoid with folds and spots that differ from slice to slice, and a skin."""
    draw = np.random.default_rng(seed)
    axes = [np.linspace(-1.2, 1.2, length) for length in SHAPE[:2]]
    x, y = np.meshgrid(*axes, indexing="ij")
    data = np.zeros(SHAPE, np.float32)
    anatomy = np.zeros(SHAPE, np.uint8)
    for index in range(SHAPE[2]):
        grain = ndimage.gaussian_filter(draw.normal(size=SHAPE[:2]), 2.0)
        radius = np.hypot(x, y) + 0.4 * ndimage.gaussian_filter(grain, 4.0)
        data[..., index] = np.where(radius < 0.85, 100 + 250 * grain, 15)
        data[..., index][(radius > 0.95) & (radius < 1.05)] = 220
        anatomy[..., index] = radius < 0.85
        data[..., index] = ndimage.gaussian_filter(data[..., index], 0.5)
    return np.abs(data + noise * draw.normal(size=SHAPE)).astype(np.float32), anatomy


def moved(data: Array, *, axis: int, mm: float, first: int = 0, step: int = 1) -> Array:
    """Every fourth line of k-space along an axis read after a shift by `mm` along it."""
    out = np.array(data)
    spectrum = np.fft.fft(data[..., first::step], axis=axis)
    frequency = np.fft.fftfreq(data.shape[axis])
    turn = np.exp(-2j * np.pi * frequency * mm)
    turn[np.arange(data.shape[axis]) % 4 != 0] = 1
    shape = [1, 1, 1]
    shape[axis] = -1
    out[..., first::step] = np.abs(np.fft.ifft(spectrum * turn.reshape(shape), axis=axis))
    return out


def codes(data: Array, anatomy: Array) -> list[str]:
    found = acquisition_checks(data, anatomy=anatomy, spacing=SPACING)
    return [finding.code for finding in found]


@pytest.mark.parametrize("seed", range(3))
def test_a_head_at_rest_passes(seed: int) -> None:
    assert codes(*head(seed=seed)) == []


def test_noise_is_no_motion() -> None:
    assert codes(*head(noise=12.0)) == []


@pytest.mark.parametrize("axis", [0, 1])
def test_a_head_that_moved_is_flagged(axis: int) -> None:
    data, anatomy = head()
    (finding,) = acquisition_checks(
        moved(data, axis=axis, mm=2.0), anatomy=anatomy, spacing=SPACING
    )
    assert (finding.code, finding.severity) == ("scan.motion", Severity.WARNING)
    seen = acquisition_of(moved(data, axis=axis, mm=2.0), anatomy=anatomy, spacing=SPACING)
    along, other = seen.motion[axis], seen.motion[1 - axis]
    assert along is not None
    assert other is not None
    assert along > 5 * abs(other)


def test_motion_in_every_other_slice_is_flagged() -> None:
    data, anatomy = head()
    assert codes(moved(data, axis=1, mm=2.0, step=2), anatomy) == ["scan.motion"]


def test_motion_shows_where_the_background_is_zero() -> None:
    data, anatomy = head()
    assert codes(np.where(anatomy, data, 0), anatomy) == []
    still = np.where(anatomy, moved(data, axis=1, mm=2.0), 0)
    assert codes(still, anatomy) == ["scan.motion"]


def test_k_space_read_in_part_is_no_motion() -> None:
    """Lines beyond three quarters were not read and are zero, as some scanners leave them."""
    data, anatomy = head()
    spectrum = np.fft.fftshift(np.fft.fft(data, axis=0), axes=0)
    spectrum[round(0.75 * SHAPE[0]) :] = 0
    part = np.abs(np.fft.ifft(np.fft.ifftshift(spectrum, axes=0), axis=0))
    assert "scan.motion" not in codes(part.astype(np.float32), anatomy)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_scan_has_the_same_findings(axis: int) -> None:
    data, anatomy = head()
    data = moved(data, axis=1, mm=2.0)
    flipped = acquisition_of(np.flip(data, axis), anatomy=np.flip(anatomy, axis), spacing=SPACING)
    assert flipped.moved == pytest.approx(
        acquisition_of(data, anatomy=anatomy, spacing=SPACING).moved, rel=0.3
    )
    assert codes(np.flip(data, axis), np.flip(anatomy, axis)) == ["scan.motion"]


def test_it_is_deterministic() -> None:
    data, anatomy = head()
    one, other = (acquisition_of(data, anatomy=anatomy, spacing=SPACING) for _ in range(2))
    assert one == other


def test_scale_does_not_matter() -> None:
    data, anatomy = head()
    one = acquisition_of(data, anatomy=anatomy, spacing=SPACING)
    other = acquisition_of(data * 4096, anatomy=anatomy, spacing=SPACING)
    assert other.moved == pytest.approx(one.moved, rel=1e-3)
    assert other.detail_mm == one.detail_mm


def test_an_interpolated_scan_is_noted() -> None:
    data, anatomy = head(noise=0.1)
    spectrum = np.fft.fftshift(np.fft.fft2(data, axes=(0, 1)), axes=(0, 1))
    spectrum[:44] = spectrum[-44:] = 0  # detail of 2.2 mm along the first axis
    smooth = np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(0, 1)), axes=(0, 1)).real
    (finding,) = acquisition_checks(smooth, anatomy=anatomy, spacing=SPACING)
    assert (finding.code, finding.severity) == ("scan.interpolated", Severity.NOTE)
    assert "left and right" in finding.what
    seen = acquisition_of(smooth, anatomy=anatomy, spacing=SPACING)
    assert seen.detail_mm[0] == pytest.approx(2.2, abs=0.3)
    assert seen.detail_mm[1] == 1.0


def test_a_blurred_scan_is_a_warning() -> None:
    data, anatomy = head(noise=0.1)
    blurred = ndimage.gaussian_filter(data, (2.0, 2.0, 0))
    found = acquisition_checks(blurred, anatomy=anatomy, spacing=SPACING)
    assert [finding.code for finding in found] == ["scan.low_resolution"] * 2


def test_too_few_slices_tell_nothing() -> None:
    data, anatomy = head()
    seen = acquisition_of(data[..., :4], anatomy=anatomy[..., :4], spacing=SPACING)
    assert seen.motion == (None, None, None)
    assert acquisition_checks(data, anatomy=np.zeros_like(anatomy), spacing=SPACING) == ()


@pytest.mark.parametrize("case", ["104252", "105755"])
def test_real_scans_at_rest_and_moved(shared_data: Path, case: str) -> None:
    image = read_scan(shared_data / "wmh/tabriz" / case / "flair.nii.gz")
    data = np.ascontiguousarray(to_canonical(image.data, image.grid), dtype=np.float32)
    spacing = image.grid.canonical().spacing
    bright = (data > 0.4 * np.percentile(data, 98)).astype(np.uint8)
    assert acquisition_checks(data, anatomy=bright, spacing=spacing) == ()
    for axis in (0, 1):
        shifted = moved(data, axis=axis, mm=1.0 / spacing[axis])
        (found,) = acquisition_checks(shifted, anatomy=bright, spacing=spacing)
        assert found.code == "scan.motion"
