"""The generator: seeded, its truth is what is visible, its slices are what a scanner would give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the generator needs the train extra")

from leuko.errors import UnusableInput  # noqa: E402
from leuko.formats.write import write  # noqa: E402
from leuko.image.grid import Grid  # noqa: E402
from leuko.image.image import Image  # noqa: E402
from leuko.models.classes import Tissue  # noqa: E402
from leuko.synthesis.artefacts import Acquisition, draw_corruption  # noqa: E402
from leuko.synthesis.contrast import draw_contrast  # noqa: E402
from leuko.synthesis.fields import (  # noqa: E402
    apply_separable,
    blur_matrix,
    noise_field,
    resolution_matrix,
    spline_matrix,
)
from leuko.synthesis.geometry import SlabShape, draw_geometry, sample_slab  # noqa: E402
from leuko.synthesis.head import draw_recipe, render  # noqa: E402
from leuko.synthesis.heads import Kind, load_head  # noqa: E402
from leuko.synthesis.lesions import draw_lesions, paint_lesions  # noqa: E402
from leuko.synthesis.sample import synthetic_scan  # noqa: E402
from leuko.synthesis.stream import StreamSettings, slices  # noqa: E402

LESION, RIM = 1 << int(Tissue.LESION), 1 << int(Tissue.CAP_RIM)


@pytest.fixture(scope="module")
def labelmap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head of shells: ventricles in white matter in cortex in fluid in skull in skin."""
    shape = (90, 110, 90)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    ids = np.zeros(shape, dtype=np.int16)
    for outer, left, right in ((0.98, 511, 511), (0.9, 515, 515), (0.84, 24, 24), (0.78, 3, 42)):
        ids[radius < outer] = left
        ids[(radius < outer) & (x > 0)] = right
    ids[radius < 0.68] = 2
    ids[(radius < 0.68) & (x > 0)] = 41
    lateral = (np.abs(x) < 0.3) & (np.abs(x) > 0.05) & (np.abs(y) < 0.35) & (np.abs(z) < 0.15)
    ids[lateral] = np.where(x > 0, 43, 4)[lateral]
    ids[(np.abs(np.abs(x) - 0.4) < 0.06) & (np.abs(y) < 0.2) & (np.abs(z) < 0.2)] = 10
    path = tmp_path_factory.mktemp("heads") / "shells.nii.gz"
    write(Image(ids, Grid.from_spacing(shape, (1.0, 1.0, 1.0))), path)
    return path


SHAPE = SlabShape(pixels=(96, 96), layers=40)


def test_noise_has_unit_variance_and_is_repeatable() -> None:
    """A field of small grain has about zero mean and unit variance; the seed decides it."""
    fields = [
        noise_field((40, 50, 60), knots=(2.0, 2.0, 2.0), generator=torch.Generator().manual_seed(s))
        for s in (3, 3, 4)
    ]
    assert torch.equal(fields[0], fields[1])
    assert not torch.equal(fields[0], fields[2])
    assert abs(float(fields[0].mean())) < 0.1
    assert 0.85 < float(fields[0].std()) < 1.15


def test_splines_reproduce_constants() -> None:
    """Equal control points give a constant field: the weights of a voxel sum to one."""
    matrices = [spline_matrix(n, knots=k, offset=0.3) for n, k in ((11, 3.0), (9, 2.5), (7, 10.0))]
    controls = torch.full([m.shape[1] for m in matrices], 2.5)
    field = apply_separable((matrices[0], matrices[1], matrices[2]), controls)
    assert field.shape == (11, 9, 7)
    torch.testing.assert_close(field, torch.full((11, 9, 7), 2.5))


@pytest.mark.parametrize("sigma", [0.0, 0.4, 2.0])
def test_blur_and_resolution_keep_a_constant(sigma: float) -> None:
    """Neither blur nor lower resolution changes the brightness of a uniform picture."""
    ones = torch.ones(30)
    torch.testing.assert_close(blur_matrix(30, sigma=sigma) @ ones, ones)
    torch.testing.assert_close(resolution_matrix(30, factor=2.3, offset=0.4) @ ones, ones)
    assert torch.equal(resolution_matrix(30, factor=1.0, offset=0.0), torch.eye(30))


def test_slice_profile_covers_the_slab() -> None:
    """5 mm slices of a 40 mm slab: rows sum to one, centres lie 5 mm apart."""
    acquisition = Acquisition(5.0, 4.5, 0.4, (0.8, 0.8), 0.0, 1)
    profile = acquisition.profile(41, layer_mm=1.0)
    torch.testing.assert_close(profile.sum(1), torch.ones(profile.shape[0]))
    centres = profile @ torch.arange(41, dtype=torch.float32)
    torch.testing.assert_close(
        centres.diff(), torch.full((profile.shape[0] - 1,), 5.0), atol=0.3, rtol=0
    )


def test_same_seed_gives_the_same_slices(labelmap: Path) -> None:
    """The stream is decided by its seed."""
    settings = StreamSettings(pixels=(96, 96))
    first, again, other = (
        [
            s
            for s, _ in zip(
                slices([labelmap], seed=seed, settings=settings), range(6), strict=False
            )
        ]
        for seed in (5, 5, 6)
    )
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.image, b.image)
        assert np.array_equal(a.allowed, b.allowed)
    assert any(not np.array_equal(a.image, b.image) for a, b in zip(first, other, strict=True))
    assert first[0].image.shape == (3, 96, 96)
    assert first[0].image.dtype == np.float16
    assert first[0].allowed.dtype == np.int16
    assert all((s.allowed > 0).all() for s in first), "every voxel has at least one possible class"


def test_straight_head_keeps_its_anatomy(labelmap: Path) -> None:
    """Without bending, the slab's centre shows the head's labels and true distances."""
    head = load_head(labelmap)
    geometry = draw_geometry(
        np.random.default_rng(0), head=head, shape=SHAPE, plane="axial", strength=0.0
    )
    slab = sample_slab(replace(geometry, mirrored=False), head=head, shape=SHAPE)
    white = slab.kinds == int(Kind.WHITE_MATTER)
    fluid = slab.kinds == int(Kind.VENTRICLES)
    assert white.float().mean() > 0.3
    assert fluid.any()
    assert float(slab.to_ventricles[fluid].max()) == 0.0
    assert float(slab.to_ventricles[white].min()) >= 1.0


def test_lesions_stay_in_white_matter(labelmap: Path) -> None:
    """Over many plans, lesions and rims lie in white matter (or the regions a plan names)."""
    head = load_head(labelmap)
    rng = np.random.default_rng(1)
    slab = sample_slab(draw_geometry(rng, head=head, shape=SHAPE), head=head, shape=SHAPE)
    allowed = torch.zeros_like(slab.kinds, dtype=torch.bool)
    for kind in (
        Kind.WHITE_MATTER,
        Kind.BRAINSTEM,
        Kind.CEREBELLAR_WHITE,
        Kind.THALAMUS,
        Kind.PUTAMEN,
    ):
        allowed |= slab.kinds == int(kind)
    seen = 0
    for _ in range(15):
        excess = paint_lesions(draw_lesions(rng), slab=slab)
        assert float(excess.extent[~allowed].abs().sum()) == 0.0
        assert float(excess.rim[slab.kinds != int(Kind.WHITE_MATTER)].abs().sum()) == 0.0
        seen += bool((excess.extent > 0.5).any())
    assert 5 <= seen < 15, "most heads have lesions, some have none"


def test_what_is_labelled_is_bright(labelmap: Path) -> None:
    """Labelled lesions of FLAIR-like renderings are brighter than the white matter around them."""
    head = load_head(labelmap)
    rng = np.random.default_rng(2)
    slab = sample_slab(
        draw_geometry(rng, head=head, shape=SHAPE, plane="axial", strength=0.3),
        head=head,
        shape=SHAPE,
    )
    compared = 0
    for _ in range(20):
        recipe = draw_recipe(rng)
        if not recipe.contrast.flair:
            continue
        rendered = render(recipe, slab=slab)
        lesion = rendered.image[rendered.allowed == LESION]
        white = rendered.image[rendered.allowed == 1 << int(Tissue.WHITE_MATTER)]
        if lesion.numel() < 40 or white.numel() < 400:
            continue
        assert lesion.median() > white.median()
        compared += 1
    assert compared >= 5


def test_invisible_lesions_are_not_demanded(labelmap: Path) -> None:
    """A lesion fainter than noise is not labelled as certain."""
    head = load_head(labelmap)
    rng = np.random.default_rng(3)
    slab = sample_slab(
        draw_geometry(rng, head=head, shape=SHAPE, plane="axial"), head=head, shape=SHAPE
    )
    recipe = draw_recipe(rng)
    while not recipe.lesions.noisy:
        recipe = draw_recipe(rng)
    faint = replace(recipe.lesions, contrast=0.02, rim_contrast=0.02)
    rendered = render(
        replace(recipe, lesions=faint, corruption=replace(draw_corruption(rng), noise=0.1)),
        slab=slab,
    )
    assert not bool(((rendered.allowed == LESION) | (rendered.allowed == RIM)).any())


def test_contrast_is_flair_like_most_of_the_time() -> None:
    """Fluid is dark and cortex hardly darker than white matter in FLAIR-like draws."""
    rng = np.random.default_rng(4)
    draws = [draw_contrast(rng) for _ in range(200)]
    flair = [d for d in draws if d.flair]
    assert 150 < len(flair) < 200
    for contrast in flair:
        assert contrast.means[Kind.VENTRICLES] < 0.5 < contrast.means[Kind.WHITE_MATTER]
        assert contrast.means[Kind.CORTEX] > 0.9 * contrast.means[Kind.WHITE_MATTER]


def test_synthetic_scan_is_repeatable_and_has_lesions(labelmap: Path) -> None:
    """The scan of the demo: same seed, same scan; its truth holds lesions and rims."""
    first, again = (
        synthetic_scan(labelmap, seed=8, field_mm=(90.0, 110.0, 90.0)) for _ in range(2)
    )
    assert np.array_equal(first.flair.data, again.flair.data)
    assert first.flair.grid.spacing == (0.9, 0.9, 6.0)
    assert (first.truth.data == 1).any()
    assert (first.truth.data == 2).any()
    lesions = first.flair.data[first.truth.data == 1]
    assert np.median(lesions) > np.median(first.flair.data[first.flair.data > 50])


def test_a_file_without_a_head_is_refused(tmp_path: Path) -> None:
    """A label map without white matter or ventricles gets a clear refusal."""
    path = tmp_path / "nothing.nii.gz"
    write(
        Image(np.ones((8, 8, 8), dtype=np.int16), Grid.from_spacing((8, 8, 8), (1.0, 1.0, 1.0))),
        path,
    )
    with pytest.raises(UnusableInput, match="white matter or ventricles are missing"):
        load_head(path)
