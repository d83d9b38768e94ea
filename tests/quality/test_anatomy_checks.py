"""Contrast, coverage and noise, judged with the tissues known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leuko.findings import Severity
from leuko.models.classes import Tissue
from leuko.quality.anatomy import anatomy_checks
from leuko.quality.contrast import contrast_of
from leuko.quality.coverage import coverage_of

Array = npt.NDArray[Any]
SPACING = (2.0, 2.0, 2.0)
FLAIR = {Tissue.WHITE_MATTER: 100, Tissue.CORTEX: 120, Tissue.VENTRICLES: 30, Tissue.CSF: 25}
T1 = {Tissue.WHITE_MATTER: 100, Tissue.CORTEX: 75, Tissue.VENTRICLES: 30, Tissue.CSF: 25}
T2 = {Tissue.WHITE_MATTER: 100, Tissue.CORTEX: 120, Tissue.VENTRICLES: 220, Tissue.CSF: 230}
PD = {Tissue.WHITE_MATTER: 100, Tissue.CORTEX: 115, Tissue.VENTRICLES: 85, Tissue.CSF: 80}


def tissues(shape: tuple[int, int, int] = (80, 100, 80)) -> Array:
    """Shells: ventricles, white matter, cortex, CSF."""
    axes = [np.linspace(-1.2, 1.2, length) for length in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    label = np.zeros(shape, np.uint8)
    for limit, tissue in (
        (1.0, Tissue.CSF),
        (0.9, Tissue.CORTEX),
        (0.75, Tissue.WHITE_MATTER),
        (0.3, Tissue.VENTRICLES),
    ):
        label[radius < limit] = tissue
    return label


def scan(label: Array, levels: Mapping[Tissue, float], *, noise: float = 3.0) -> Array:
    values = np.zeros(label.shape, np.float32)
    for tissue, level in levels.items():
        values[label == tissue] = level
    rng = np.random.default_rng(0)
    return np.asarray(values + rng.normal(0, noise, label.shape), np.float32)


def codes(levels: Mapping[Tissue, float], *, noise: float = 3.0) -> list[str]:
    label = tissues()
    found = anatomy_checks(scan(label, levels, noise=noise), anatomy=label, spacing=SPACING)
    return [finding.code for finding in found]


def test_a_flair_passes() -> None:
    assert codes(FLAIR) == []


def test_a_t1_is_refused() -> None:
    label = tissues()
    (finding,) = anatomy_checks(scan(label, T1), anatomy=label, spacing=SPACING)
    assert finding.code == "scan.wrong_contrast"
    assert finding.severity is Severity.REFUSAL
    assert "T1" in finding.what


def test_a_t2_is_refused() -> None:
    assert codes(T2) == ["scan.wrong_contrast"]


def test_bright_fluid_is_a_warning() -> None:
    assert codes(PD) == ["scan.unusual_contrast"]


def test_a_bright_tumour_taken_for_a_ventricle_makes_no_t2() -> None:
    label = tissues()
    data = scan(label, {**FLAIR, Tissue.VENTRICLES: 140})
    fluid = (label == Tissue.VENTRICLES) & (np.arange(label.shape[0]) < 36)[:, None, None]
    data[fluid] *= 0.2
    (found,) = anatomy_checks(data, anatomy=label, spacing=SPACING)
    assert (found.code, found.severity) == ("scan.unusual_contrast", Severity.WARNING)


def test_a_brain_without_ventricles_is_unusual() -> None:
    label = tissues()
    label[label == Tissue.VENTRICLES] = Tissue.WHITE_MATTER
    (found,) = anatomy_checks(scan(label, FLAIR), anatomy=label, spacing=SPACING)
    assert (found.code, found.severity) == ("scan.unusual_contrast", Severity.WARNING)


def test_a_diffusion_scan_is_refused() -> None:
    """As measured on a real one: the network takes part of the bright fluid for cortex."""
    levels = {**FLAIR, Tissue.CORTEX: 141, Tissue.VENTRICLES: 84}
    assert codes(levels) == ["scan.unusual_contrast"]
    label = tissues()
    label[38:42, 38:42, :] = np.where(label[38:42, 38:42, :] > 0, Tissue.DEEP_GREY, 0)
    data = scan(label, {**levels, Tissue.DEEP_GREY: 62})
    (finding,) = anatomy_checks(data, anatomy=label, spacing=SPACING)
    assert finding.code == "scan.wrong_contrast"


def test_many_lesions_do_not_make_a_t1_of_a_flair() -> None:
    label = tissues()
    levels = {**FLAIR, Tissue.CORTEX: 110}
    data = scan(label, levels)
    lesions = (label == Tissue.WHITE_MATTER) & (np.random.default_rng(1).random(label.shape) < 0.6)
    data[lesions] *= 1.5
    assert [f.code for f in anatomy_checks(data, anatomy=label, spacing=SPACING)] != []
    assert anatomy_checks(data, anatomy=label, lesions=lesions, spacing=SPACING) == ()


def test_noise_is_a_warning_and_is_measured() -> None:
    assert codes(FLAIR, noise=20.0) == ["scan.noisy"]
    label = tissues()
    contrast = contrast_of(scan(label, FLAIR, noise=20.0), anatomy=label)
    assert abs(contrast.noise - 0.2) < 0.02


@pytest.mark.parametrize("share", [0.03, 0.08, 0.15])
def test_noise_is_measured_at_every_strength(share: float) -> None:
    label = tissues()
    contrast = contrast_of(scan(label, FLAIR, noise=100 * share), anatomy=label)
    assert contrast.noise == pytest.approx(share, rel=0.05)


def test_a_brain_that_goes_on_beyond_the_scan_is_cut() -> None:
    label = tissues()[:, :, :50]
    found = anatomy_checks(scan(label, FLAIR), anatomy=label, spacing=SPACING)
    assert [finding.code for finding in found] == ["scan.brain_cut"]
    assert "top" in found[0].what


def test_padding_does_not_hide_a_cut() -> None:
    label = tissues()
    label[:, :, 50:] = 0
    data = scan(label, FLAIR)
    data[:, :, 50:] = 0
    found = anatomy_checks(data, anatomy=label, spacing=SPACING)
    assert [finding.code for finding in found] == ["scan.brain_cut"]


def test_no_face_is_named_where_the_orientation_is_unknown() -> None:
    label = tissues()[:, :, :50]
    (finding,) = anatomy_checks(scan(label, FLAIR), anatomy=label, spacing=SPACING, sided=False)
    assert "top" not in finding.what


def test_without_tissue_there_is_no_brain() -> None:
    label = np.zeros((80, 100, 80), np.uint8)
    found = anatomy_checks(scan(label, FLAIR), anatomy=label, spacing=SPACING)
    assert [finding.code for finding in found] == ["scan.no_brain"]


def test_a_brain_too_large_is_a_warning() -> None:
    label = tissues()
    found = anatomy_checks(scan(label, FLAIR), anatomy=label, spacing=(4.0, 4.0, 4.0))
    assert [finding.code for finding in found] == ["scan.brain_large"]


def test_fluid_seen_in_the_neck_does_not_move_the_middle_of_the_brain() -> None:
    label = tissues((80, 100, 140))
    label[:, :, :60] = 0
    label[:, :, 60:] = tissues()
    label[25:55, 30:70, 2:24] = Tissue.VENTRICLES
    middle = coverage_of(scan(label, FLAIR), anatomy=label, spacing=SPACING).middle
    assert middle[2] == pytest.approx(60 + 39.5, abs=2)
