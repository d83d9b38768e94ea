"""Masks on real series of many vendors, drawn on their NIfTI, come back from SEG in place."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from wmh_objects import saved, speckled, wmh_object

from dicom_oracles import (
    assert_same_points,
    errors_of,
    points_by_dcmqi,
    points_by_highdicom,
    points_by_simpleitk,
    points_of,
)
from leuko.dicom.files import scan
from leuko.dicom.seg_reader import read_seg
from leuko.dicom.study import Stack
from leuko.formats.read import read
from leuko.image.grid import Grid
from leuko.image.image import Image

SERIES = [
    "canon_classic_dwi_2vol", "canon_v61_classic_dwi", "ge_3d_sag_t1", "ge_dwi_4d",
    "ge_epi_ascending", "ge_feet_first_epi_4d", "generic_non_isotropic",
    "generic_t1_compressed_j2k", "hitachi_anat", "philips_classic_asl_cbf",
    "philips_classic_dual_echo_mag_phase", "philips_classic_epi", "philips_enhanced_b0_fieldmap",
    "philips_enhanced_fmri", "siemens_2d_sag_t1_decubitus_left", "siemens_2d_sag_t1_hfs",
    "siemens_mosaic_ax_j2k", "siemens_mosaic_cor", "siemens_mosaic_epi_skyra",
    "siemens_mosaic_sag", "siemens_pd_t2_two_echoes", "siemens_rect_matrix",
    "siemens_xa10_enhanced_4d", "siemens_xa30_classic_jpegll_fragmented",
    "siemens_xa30_enhanced_fieldmap", "toshiba_classic_dwi_1vol", "uih_3d_sag_t1",
    "uih_grid_dwi_4d",
]  # fmt: skip
WITH_DCMQI = ["philips_enhanced_fmri", "siemens_mosaic_cor", "siemens_rect_matrix",
              "uih_grid_dwi_4d"]  # fmt: skip
MM = 0.05  # positions in headers are rounded


def stack_and_mask(name: str, shared_data: Path, folder: Path) -> tuple[Stack, Image]:
    """The first stack of a series, and a mask on the grid of the NIfTI that dcm2niix made."""
    home = shared_data / "dicom" / "conversion" / name
    with zipfile.ZipFile(home / "in.zip") as packed:
        packed.extractall(folder / "in")
    truth = read(sorted(home.glob("truth*.nii.gz"))[0]).grid
    shape = (truth.shape[0], truth.shape[1], truth.shape[2])
    return scan(folder / "in").stacks[0], speckled(Grid(shape, truth.affine))


@pytest.mark.parametrize("name", SERIES)
def test_a_mask_drawn_on_the_nifti_comes_back_where_it_was(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    stack, mask = stack_and_mask(name, shared_data, tmp_path)
    frames = stack.frames[: stack.layout.slices]
    made = wmh_object(mask, stack.headers(), frames=frames)
    path = saved(made, tmp_path / "seg.dcm")
    assert_same_points(points_of(mask), points_of(read_seg(path)), mm=MM)
    assert_same_points(points_of(mask), points_by_highdicom(path), mm=MM)
    assert_same_points(points_of(mask), points_by_simpleitk(path), mm=MM)
    assert errors_of(path) == []
    named = {
        (source.ReferencedSOPInstanceUID, source.get("ReferencedFrameNumber"))
        for group in made.PerFrameFunctionalGroupsSequence
        for source in group.DerivationImageSequence[0].SourceImageSequence
    }
    assert named == {
        (f.instance.sop_uid, f.nth + 1 if f.instance.frames > 1 else None) for f in frames
    }


@pytest.mark.parametrize("name", WITH_DCMQI)
def test_dcmqi_agrees(name: str, shared_data: Path, tmp_path: Path) -> None:
    stack, mask = stack_and_mask(name, shared_data, tmp_path)
    frames = stack.frames[: stack.layout.slices]
    path = saved(wmh_object(mask, stack.headers(), frames=frames), tmp_path / "seg.dcm")
    assert_same_points(points_of(mask), points_by_dcmqi(path, tmp_path / "nrrd"), mm=MM)


def test_tiles_need_the_frames_in_them(shared_data: Path, tmp_path: Path) -> None:
    from leuko.errors import SafetyRefusal

    stack, mask = stack_and_mask("siemens_mosaic_cor", shared_data, tmp_path)
    with pytest.raises(SafetyRefusal, match="tiles"):
        wmh_object(mask, stack.headers())
