"""Hand-made heads: what the cleaning takes away, gives back and leaves alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from leuko.anatomy.cleaning import clean_anatomy
from leuko.models.classes import Tissue

Labels = npt.NDArray[np.uint8]
SPACING = (2.0, 2.0, 4.0)
SHAPE = (90, 100, 40)


def ball(centre_mm: tuple[float, float, float], radius_mm: float) -> npt.NDArray[np.bool_]:
    axes = np.ogrid[tuple(slice(0, size) for size in SHAPE)]
    steps = zip(axes, SPACING, centre_mm, strict=True)
    return np.asarray(sum((axis * step - at) ** 2 for axis, step, at in steps) <= radius_mm**2)


@pytest.fixture
def head() -> Labels:
    """White matter in cortex in fluid, with ventricles and a cerebellum."""
    anatomy = np.zeros(SHAPE, dtype=np.uint8)
    middle = (90.0, 100.0, 90.0)
    for radius, tissue in ((61, Tissue.CSF), (57, Tissue.CORTEX), (50, Tissue.WHITE_MATTER)):
        anatomy[ball(middle, radius)] = tissue
    anatomy[ball(middle, 16)] = Tissue.VENTRICLES
    anatomy[ball((90.0, 70.0, 40.0), 24)] = Tissue.CEREBELLUM
    return anatomy


def image_of(anatomy: Labels) -> npt.NDArray[np.float32]:
    levels = np.array([0.0, 0.2, 1.1, 1.0, 1.0, 0.1, 1.0, 1.0], dtype=np.float32)
    return levels[anatomy]


def cleaned(anatomy: Labels, lesions: npt.NDArray[np.bool_] | None = None) -> Labels:
    none = np.zeros(anatomy.shape, dtype=np.bool_)
    return clean_anatomy(
        anatomy,
        image=image_of(anatomy),
        lesions=none if lesions is None else lesions,
        spacing=SPACING,
    )


def test_a_clean_head_stays_as_it_is(head: Labels) -> None:
    assert np.array_equal(cleaned(head), head)


def test_tissue_in_the_face_becomes_background(head: Labels) -> None:
    face = ball((90.0, 186.0, 40.0), 12)
    head[face] = Tissue.VENTRICLES
    head[ball((90.0, 186.0, 40.0), 6)] = Tissue.CORTEX
    assert not cleaned(head)[face].any()


def test_a_face_that_hangs_on_the_brain_is_cut_off_below_the_middle_of_the_cerebellum(
    head: Labels,
) -> None:
    face = np.zeros(SHAPE, dtype=np.bool_)
    face[25:65, 60:85, 0:14] = True  # broad, and continuous with the white matter above it
    face &= head != Tissue.CEREBELLUM
    head[face] = Tissue.WHITE_MATTER
    found = cleaned(head)
    assert not found[..., :7][face[..., :7]].any()
    tip = face.copy()
    tip[..., :9] = False  # within 8 mm of the white matter from the middle upwards
    assert (found[tip] == Tissue.WHITE_MATTER).all()


def test_cerebellum_apart_from_the_cerebellum_is_cortex(head: Labels) -> None:
    stray = ball((90.0, 100.0, 142.0), 6)
    head[stray] = Tissue.CEREBELLUM
    found = cleaned(head)
    assert (found[stray] == Tissue.CORTEX).all()
    assert (found == Tissue.CEREBELLUM).sum() == (head == Tissue.CEREBELLUM).sum() - stray.sum()


def test_a_piece_of_ventricle_in_the_outer_fluid_is_fluid(head: Labels) -> None:
    piece = ball((90.0, 100.0, 90.0), 61) & ~ball((90.0, 100.0, 90.0), 57)
    piece &= ball((90.0, 160.0, 90.0), 8)
    head[piece] = Tissue.VENTRICLES
    assert (cleaned(head)[piece] == Tissue.CSF).all()


def test_a_piece_of_ventricle_within_the_brain_stays(head: Labels) -> None:
    horn = ball((120.0, 100.0, 70.0), 6)
    head[horn] = Tissue.VENTRICLES
    assert (cleaned(head)[horn] == Tissue.VENTRICLES).all()


def test_a_plexus_that_was_taken_for_tissue_belongs_to_the_ventricles(head: Labels) -> None:
    plexus = np.zeros(SHAPE, dtype=np.bool_)
    plexus[44:47, 50:52, 22] = True
    head[plexus] = Tissue.WHITE_MATTER
    assert (cleaned(head)[plexus] == Tissue.VENTRICLES).all()


def test_what_may_be_a_lesion_is_no_plexus(head: Labels) -> None:
    lesion = np.zeros(SHAPE, dtype=np.bool_)
    lesion[44:47, 50:52, 22] = True
    head[lesion] = Tissue.WHITE_MATTER
    assert (cleaned(head, lesion)[lesion] == Tissue.WHITE_MATTER).all()


def test_the_fluid_between_the_ventricles_is_not_filled_from_the_sides(head: Labels) -> None:
    cleft = np.zeros(SHAPE, dtype=np.bool_)
    cleft[45, :, 20:26] = True
    cleft &= (head == Tissue.VENTRICLES) | (head == Tissue.WHITE_MATTER)
    head[cleft] = Tissue.CSF
    assert (cleaned(head)[cleft] == Tissue.CSF).all()


def test_the_input_is_left_alone_and_cleaning_twice_changes_nothing(head: Labels) -> None:
    head[ball((90.0, 186.0, 40.0), 12)] = Tissue.CORTEX
    before = head.copy()
    once = cleaned(head)
    assert np.array_equal(head, before)
    assert np.array_equal(cleaned(once), once)


@pytest.mark.parametrize("amount", ["nothing", "a speck"])
def test_too_little_to_be_a_brain_stays(amount: str) -> None:
    anatomy = np.zeros(SHAPE, dtype=np.uint8)
    if amount == "a speck":
        anatomy[40:42, 40:42, 10] = Tissue.VENTRICLES
    assert np.array_equal(cleaned(anatomy), anatomy)


def test_the_last_bits_of_the_spacing_decide_nothing(head: Labels) -> None:
    """A hole that axial slices enclose and sagittal ones do not, on voxels alike in all axes."""
    hole = np.zeros(SHAPE, dtype=np.bool_)
    hole[43:48, 48:53, :] = True
    hole &= (head == Tissue.VENTRICLES) | (head == Tissue.WHITE_MATTER)
    head[hole] = Tissue.WHITE_MATTER
    nothing = np.zeros(SHAPE, dtype=np.bool_)
    found = [
        clean_anatomy(
            head, image=image_of(head), lesions=nothing, spacing=(1.0 + bit, 1.0, 1.0 - bit)
        )
        for bit in (-1e-9, 0.0, 1e-9)
    ]
    assert (found[0] != head).any()
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[1], found[2])
