"""A file in, a folder out: what is in it, and that it is there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from brightness_network import make_head, write_weights

from leuko.errors import LeukoError, OutOfResources, ReadError, UnusableInput, WriteError
from leuko.formats.read import read_mask, read_scan
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment, segment_file
from leuko.pipelines.statistics import decode

FILES = {
    "anatomy.nii.gz", "lesions.nii.gz", "lesions.tsv", "preview.png", "report.html", "report.pdf",
    "stats.json", "wmh.nii.gz",
}  # fmt: skip
PAGES = {"preview.png", "report.html", "report.pdf"}
QUICK = SegmentConfig(report=False)


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_out_holds_what_was_promised(tmp_path: Path, head_file: Path, fake_model: Model) -> None:
    numbers = segment_file(head_file, out=tmp_path / "out", model=fake_model)
    assert names(tmp_path / "out") == FILES
    assert all((tmp_path / "out" / name).stat().st_size > 0 for name in FILES)
    assert decode((tmp_path / "out" / "stats.json").read_bytes()) == numbers
    assert numbers.lesion_count == 4
    assert len((tmp_path / "out" / "lesions.tsv").read_text().splitlines()) == 5
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "out" / "preview.png").read_bytes().startswith(b"\x89PNG")


def test_without_report_and_with_probability(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    config = SegmentConfig(report=False, probability=True)
    segment_file(head_file, out=tmp_path / "out", config=config, model=fake_model)
    assert names(tmp_path / "out") == FILES - PAGES | {"probability.nii.gz"}
    probability = read_scan(tmp_path / "out" / "probability.nii.gz")
    assert 0 <= probability.data.min() <= probability.data.max() <= 1


def test_files_and_the_function_say_the_same(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    segment_file(head_file, out=tmp_path / "out", config=QUICK, model=fake_model)
    result = segment(read_scan(head_file), config=QUICK, model=fake_model)
    mask = read_mask(tmp_path / "out" / "wmh.nii.gz")
    assert np.array_equal(mask.data, result.mask.data)
    assert mask.grid == result.mask.grid
    lesions = read_mask(tmp_path / "out" / "lesions.nii.gz")
    assert np.array_equal(lesions.data, result.lesions.data)


def test_two_runs_write_the_same_masks(tmp_path: Path, head_file: Path, fake_model: Model) -> None:
    for out in ("one", "two"):
        segment_file(head_file, out=tmp_path / out, config=QUICK, model=fake_model)
    for name in ("wmh.nii.gz", "lesions.nii.gz", "anatomy.nii.gz", "lesions.tsv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_engine_and_its_threads_do_not_change_the_mask(tmp_path: Path, head_file: Path) -> None:
    """The same network through OpenVINO, in a process that may use one processor or all."""
    weights = write_weights(tmp_path / "weights")
    masks = []
    for processors in ("one", "all"):
        out = tmp_path / processors
        script = (
            "import os, sys\n"
            f"{'os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})' * (processors == 'one')}\n"
            "from pathlib import Path\n"
            "from leuko.pipelines.segment import SegmentConfig, segment_file\n"
            "segment_file(Path(sys.argv[1]), out=Path(sys.argv[2]), weights=Path(sys.argv[3]),\n"
            "             config=SegmentConfig(report=False, precision='f32'))\n"
        )
        subprocess.run([sys.executable, "-c", script, head_file, out, weights], check=True)
        masks.append(read_mask(out / "wmh.nii.gz").data)
    assert np.array_equal(*masks)
    assert masks[0].any()


def test_the_record_tells_how_to_do_it_again_and_no_folder(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    numbers = segment_file(head_file, out=tmp_path / "out", model=fake_model)
    source = numbers.provenance
    assert source.input_name == "head.nii.gz"
    assert source.input_sha256 == hashlib.sha256(head_file.read_bytes()).hexdigest()
    assert source.weights_sha256 == fake_model.card.sha256
    assert [step.name for step in numbers.steps] == [
        "read", "check", "normalise", "resample", "predict", "restore", "threshold",
        "remove small lesions", "fill holes", "measure", "report",
    ]  # fmt: skip
    for name in ("stats.json", "lesions.tsv", "report.html"):
        assert str(tmp_path) not in (tmp_path / "out" / name).read_text(), name


def test_a_run_over_an_old_result_replaces_all_of_it(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    segment_file(head_file, out=tmp_path / "out", model=fake_model)
    segment_file(head_file, out=tmp_path / "out", config=QUICK, model=fake_model)
    assert names(tmp_path / "out") == FILES - PAGES
    assert names(tmp_path) == {"head.nii.gz", "out"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"not an image", ReadError), (b"", ReadError), (None, UnusableInput)],
)
def test_bad_input_leaves_no_out(
    content: bytes | None, kind: type[LeukoError], tmp_path: Path, head_image: Image,
    fake_model: Model,
) -> None:  # fmt: skip
    path = tmp_path / "scan.nii.gz"
    if content is None:
        write(head_image.with_data(np.zeros(head_image.grid.shape, np.int16)), path)
    else:
        path.write_bytes(content)
    with pytest.raises(kind):
        segment_file(path, out=tmp_path / "new" / "out", model=fake_model)
    assert names(tmp_path) == {"scan.nii.gz"}


def test_a_truncated_file_leaves_the_out_that_was_there(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    before = segment_file(head_file, out=tmp_path / "out", config=QUICK, model=fake_model)
    head_file.write_bytes(head_file.read_bytes()[:-1000])
    with pytest.raises(ReadError):
        segment_file(head_file, out=tmp_path / "out", config=QUICK, model=fake_model)
    assert decode((tmp_path / "out" / "stats.json").read_bytes()) == before
    assert names(tmp_path) == {"head.nii.gz", "out"}


def test_a_failing_report_leaves_nothing(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    def also(*_: object) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        segment_file(head_file, out=tmp_path / "out", config=QUICK, model=fake_model, also=also)
    assert names(tmp_path) == {"head.nii.gz"}


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    """A limit on the size of files stands in for the disk's: the report is larger than it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
        with pytest.raises((OutOfResources, WriteError)) as refused:
            segment_file(head_file, out=tmp_path / "out", model=fake_model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refused.value.exit_code == OutOfResources.exit_code
    assert names(tmp_path) == {"head.nii.gz"}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Path:
    """A file system of 40 KB, where this machine lets us make one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(place)]
    try:
        made = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("mounting needs root")
    return place


def test_a_disk_that_is_really_full(tiny_disk: Path, head_file: Path, fake_model: Model) -> None:
    try:
        with pytest.raises(OutOfResources, match="full"):
            segment_file(head_file, out=tiny_disk / "out", model=fake_model)
        left = names(tiny_disk)
        subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
        with pytest.raises(WriteError, match=r"[Rr]ead-only"):
            segment_file(head_file, out=tiny_disk / "out", model=fake_model)
    finally:
        subprocess.run(["umount", str(tiny_disk)], check=True)
    assert left == set()


SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    from brightness_network import BrightnessEngine, make_card
    from leuko.pipelines.model import Model
    from leuko.pipelines.segment import SegmentConfig, segment_file
    model = Model.of(make_card(), BrightnessEngine())
    print("going", flush=True)
    config = SegmentConfig(report=False)
    for _ in range(1000):
        segment_file(Path(sys.argv[2]), out=Path(sys.argv[3]), config=config, model=model)
    """
)


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.35, 0.5])
def test_a_kill_at_any_moment_loses_nothing(
    seconds: float, tmp_path: Path, head_file: Path, fake_model: Model
) -> None:
    out = tmp_path / "out"
    segment_file(head_file, out=out, config=QUICK, model=fake_model)
    here = Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, here, head_file, out], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"going\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    assert decode((out / "stats.json").read_bytes()).lesion_count == 4
    assert names(out) == FILES - PAGES
    assert read_mask(out / "wmh.nii.gz").data.any()
    segment_file(head_file, out=out, config=QUICK, model=fake_model)
    assert names(tmp_path) == {"head.nii.gz", "out"}


def test_a_scan_without_lesions_writes_every_file(
    tmp_path: Path, head_image: Image, fake_model: Model
) -> None:
    path = tmp_path / "healthy.nii.gz"
    write(head_image.with_data(make_head(lesions=False)), path)
    numbers = segment_file(path, out=tmp_path / "out", model=fake_model)
    assert names(tmp_path / "out") == FILES
    assert (numbers.volume_ml, numbers.lesion_count, numbers.largest_lesion_mm3) == (0, 0, 0)
    assert numbers.most_affected_slice is None
    assert not read_mask(tmp_path / "out" / "wmh.nii.gz").data.any()
    content = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert content["size_classes"]["large"] == {"count": 0, "share": 0.0, "volume_ml": 0.0}
