"""FLAIR and T1 are found by what was measured, then by names, then by voxels."""

from __future__ import annotations

import zipfile

import dicom_series as made
import pytest

from leuko.dicom.choose import choose
from leuko.dicom.files import scan
from leuko.errors import SafetyRefusal, UnusableInput, UsageError

FLAIR = {"EchoTime": 120.0, "RepetitionTime": 9000.0, "InversionTime": 2500.0,
         "ScanningSequence": ["SE", "IR"]}  # fmt: skip
T1 = {"EchoTime": 3.0, "RepetitionTime": 1900.0, "InversionTime": 900.0, "ScanningSequence": "GR"}
T2 = {"EchoTime": 95.0, "RepetitionTime": 5000.0, "ScanningSequence": "SE"}
BARE: dict[str, object] = {}


@pytest.fixture
def study(tmp_path):
    """A function that makes a study from (description, what was measured, ...) of each series."""

    def make(*series):
        for number, (description, measured, *more) in enumerate(series, start=1):
            values = {"SeriesNumber": number, "SeriesInstanceUID": f"1.2.3.{number}",
                      "SeriesDescription": description, **measured}  # fmt: skip
            for extra in more:
                values.update(extra)
            count = int(values.pop("count", 10))  # type: ignore[call-overload]
            spacing = values.pop("PixelSpacing", [30.0, 40.0])  # a head from few pixels
            step = values.pop("step", 10.0)
            iop = values.pop("iop", made.AXIAL)
            planes = made.slices(iop, count=count, step=made.axes(iop)[2] * step, **values)
            for plane in planes:
                plane.PixelSpacing = spacing
            made.write(planes, tmp_path / "study" / str(number), seed=number)
        return scan(tmp_path / "study")

    return make


def test_the_study_takes_flair_reg_and_says_why(shared_data, tmp_path):
    archive = shared_data / "dicom/study/brain_tumor_progression_PGBM-003/in.zip"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    choice = choose(scan(tmp_path))
    assert choice.flair.description == "FLAIR_reg"
    assert choice.t1 is not None
    assert choice.t1.description == "T1pre_reg"
    why = {reason.description: reason for reason in choice.reasons}
    assert set(why) == {"HippoCrop", "T1post", "T1pre_reg", "FLAIR_reg", "T2_reg"}
    assert "TI 2600" in why["FLAIR_reg"].why
    assert "contrast" in why["T1post"].why
    assert "no whole head" in why["HippoCrop"].why


@pytest.mark.parametrize("names", [("", "", ""), ("FLAIR", "t2 flair", "t1")])
def test_times_decide_without_names_and_against_them(names, study):
    t2, t1, flair = names
    choice = choose(study((t2, T2), (t1, T1), (flair, FLAIR)))
    assert (choice.flair.key, choice.t1 and choice.t1.key) == ("3", "2")


@pytest.mark.parametrize(
    "name",
    ["Ax FLAIR", "t2_tirm_tra_dark-fluid", "T2W_FLAIR", "3D_Brain_VIEW_FLAIR_SHC", "FLAIR_reg",
     "t2_spc_da-fl_sag_p2", "Sag CUBE FLAIR", "t2_space_dark-fluid_sag", "ФЛАИР", "tir2d_tra"],
)  # fmt: skip
def test_names_of_many_vendors_are_known(name, study):
    assert choose(study(("t2_tse", BARE), (name, BARE))).flair.key == "2"


def test_a_t1_flair_is_a_t1(study):
    t1_flair = {"EchoTime": 10.0, "RepetitionTime": 2200.0, "InversionTime": 860.0}
    with pytest.raises(UnusableInput, match="TI 860, TE 10 ms is no FLAIR's"):
        choose(study(("Ax T1 FLAIR", t1_flair)))
    choice = choose(study(("Ax T1 FLAIR", t1_flair), ("Ax T2 FLAIR", FLAIR)))
    assert (choice.flair.key, choice.t1 and choice.t1.key) == ("2", "1")


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("stir", {"EchoTime": 60.0, "RepetitionTime": 5000.0, "InversionTime": 160.0}),
        ("mp2rage", {"EchoTime": 3.0, "RepetitionTime": 5000.0, "InversionTime": 2500.0}),
        ("t2", T2),
        ("t1", T1),
    ],
)
def test_what_is_no_flair_is_not_taken_for_one(name, measured, study):
    with pytest.raises(UnusableInput, match="no FLAIR"):
        choose(study((name, measured)))


@pytest.mark.parametrize(
    ("reason", "values"),
    [
        ("localizer", {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
        ("ADC map", {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}),
        ("phase", {"ImageType": ["ORIGINAL", "PRIMARY", "P"]}),
        ("modality is CT", {"Modality": "CT"}),
        ("3 slices", {"count": 3}),
    ],
)
def test_what_is_no_scan_of_a_head_is_left_out_with_its_reason(reason, values, study):
    choice = choose(study(("FLAIR", FLAIR, values), ("FLAIR", FLAIR)))
    assert choice.flair.key == "2"
    assert reason in choice.reasons[0].why


def test_of_two_flairs_the_one_with_even_voxels_is_taken_and_it_is_said(study):
    thin = {"PixelSpacing": [30.0, 30.0], "count": 8, "step": 30.0}
    choice = choose(study(("FLAIR thick", FLAIR), ("FLAIR 3D", FLAIR, thin)))
    assert choice.flair.key == "2"
    why = next(reason.why for reason in choice.reasons if reason.role == "flair")
    assert "preferred to 1" in why
    assert "even" in why


def test_two_equal_flairs_are_not_chosen_between(study):
    with pytest.raises(UsageError, match=r"2 series are FLAIRs of the same kind: 1 \(a\), 2 \(b\)"):
        choose(study(("a", FLAIR), ("b", FLAIR)))


def test_voxels_decide_between_equals_and_without_headers(study):
    both = study(("a", FLAIR), ("b", FLAIR))
    marks = iter([0.1, 0.9])
    assert choose(both, score=lambda image: next(marks)).flair.key == "2"
    with pytest.raises(UsageError, match="could be the FLAIR"):
        choose(both, score=lambda image: 0.5)


def test_stripped_headers_need_the_voxels_or_the_user(study):
    stripped = study(("", BARE), ("", BARE))
    with pytest.raises(UsageError, match="2 could be"):
        choose(stripped)
    marks = iter([0.9, 0.1])
    assert choose(stripped, score=lambda image: next(marks)).flair.key == "1"


def test_two_patients_are_never_chosen_between(study):
    with pytest.raises(UsageError, match="2 patients"):
        choose(study(("a", FLAIR), ("b", FLAIR, {"PatientID": "Q"})))


def test_the_user_names_series_by_key_number_uid_or_description(study):
    both = study(("a", FLAIR), ("post", T1), ("b x", FLAIR))
    for name in ("3", "1.2.3.3", "b x", "B"):
        assert choose(both, series=name).flair.key == "3"
    assert choose(both, series="1", t1_series="post").t1.key == "2"
    with pytest.raises(UsageError, match="No series matches 'nothing'"):
        choose(both, series="nothing")


def test_a_t1_before_contrast_agent_is_preferred(study):
    agent = {"ContrastBolusAgent": "gadobutrol"}
    choice = choose(study(("t1 mprage", T1, agent), ("t1 mprage", T1), ("flair", FLAIR)))
    assert choice.t1 is not None
    assert choice.t1.key == "2"


def test_a_flair_that_cannot_be_read_is_not_replaced_by_another_scan(study, tmp_path):
    study(("", BARE), ("flair", FLAIR))
    next((tmp_path / "study" / "2").glob("F0004")).unlink()
    with pytest.raises(SafetyRefusal, match=r"Series 2 \(flair\) is the FLAIR, but cannot be read"):
        choose(scan(tmp_path / "study"))


def test_no_t1_is_no_error(study):
    assert choose(study(("flair", FLAIR), ("t2", T2))).t1 is None


DOUBLE = {"EchoTime": 324.0, "RepetitionTime": 7500.0, "InversionTime": 3000.0}


@pytest.mark.parametrize(
    ("name", "measured"),
    [("3D DIR", DOUBLE), ("t2_spc_dir_sag", {**DOUBLE, "SequenceName": "*spcir_278ns"}),
     ("Sag T1 FLAIR", BARE), ("T1W_TSE_FLAIR", BARE), ("t2_tirm_sag_HWS", BARE),
     ("Sag TIRM L-Spine", BARE)],
)  # fmt: skip
def test_a_name_with_flair_or_its_times_in_it_may_be_something_else(name, measured, study):
    with pytest.raises(UnusableInput, match="no FLAIR"):
        choose(study((name, measured)))


@pytest.mark.parametrize(
    "name", ["T2压水", "T2 FLARE ax", "뇌 플레어", "t2_flair_tra_T1_registered"]
)
def test_names_in_other_languages_and_spellings_are_known(name, study):
    assert choose(study(("t2_tse", BARE), (name, BARE))).flair.key == "2"


@pytest.mark.parametrize(
    ("before", "after"),
    [("FLAIR without contrast", "FLAIR post"), ("FLAIR sans injection", "FLAIR après injection"),
     ("FLAIR sin contraste", "FLAIR con contraste"), ("FLAIR ohne KM", "FLAIR nach KM"),
     ("FLAIR", "FLAIR GAD"), ("FLAIR", "FLAIR C+"), ("FLAIR", "FLAIR 增强"),
     ("FLAIR w/o Gd", "FLAIR +Gd"), ("FLAIR posterior fossa", "FLAIR post")],
)  # fmt: skip
def test_before_contrast_agent_is_told_from_after_it_in_many_languages(before, after, study):
    assert choose(study((after, FLAIR), (before, FLAIR))).flair.key == "2"


def test_an_agent_called_none_is_no_agent(study):
    agent = {"ContrastBolusAgent": "gadobutrol"}
    none = {"ContrastBolusAgent": "NONE"}
    assert choose(study(("flair", FLAIR, agent), ("flair", FLAIR, none))).flair.key == "2"


@pytest.mark.parametrize(
    ("worse", "better", "why"),
    [({"iop": made.CORONAL}, {}, "axial"),
     ({"ScanningSequence": ["EP", "IR"]}, {}, "echo-planar")],
)  # fmt: skip
def test_of_flairs_alike_the_axial_one_and_no_echo_planar_one_is_taken(worse, better, why, study):
    choice = choose(study(("a flair", {**FLAIR, **worse}), ("b flair", {**FLAIR, **better})))
    assert choice.flair.key == "2"
    assert why in next(reason.why for reason in choice.reasons if reason.role == "flair")
