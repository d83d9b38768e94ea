"""Finetuning: the user's scans become new weights, held-out scans judge them, heads may differ."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("lightning", reason="needs the train extra (lightning)")

from click.testing import CliRunner  # noqa: E402
from small_task import recipe_content, write_data  # noqa: E402

from leuko.cli.finetune import finetune as command  # noqa: E402
from leuko.errors import GridMismatch, ReadError, UsageError, WriteError  # noqa: E402
from leuko.formats.read import read  # noqa: E402
from leuko.formats.write import write  # noqa: E402
from leuko.image.grid import Grid  # noqa: E402
from leuko.image.image import Image  # noqa: E402
from leuko.models.card import Views  # noqa: E402
from leuko.models.classes import CLASS_COUNT, Tissue  # noqa: E402
from leuko.models.sample import sample_path  # noqa: E402
from leuko.models.store import load_card, weights_path  # noqa: E402
from leuko.networks.catalogue import build  # noqa: E402
from leuko.training.crops import allowed_classes, told_apart  # noqa: E402
from leuko.training.finetune import (  # noqa: E402
    card_fields,
    finetune_recipe,
    require_free,
    require_usable,
    start_of,
)
from leuko.training.module import SegmentationModule  # noqa: E402
from leuko.training.objectives import MarginalCrossEntropy, MarginalDice  # noqa: E402
from leuko.training.recipe import Case, parse_recipe, to_plain  # noqa: E402
from leuko.training.supervised.recipe import parse_task  # noqa: E402
from leuko.training.supervised.run import train_task  # noqa: E402
from leuko.training.weights import load_weights, start_from, weights_file  # noqa: E402

SAMPLE = sample_path().parent
LESION, CAP = 1 << Tissue.LESION, 1 << Tissue.CAP_RIM


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders flairs and masks of three people: the middle slices of the sample, changed."""
    folder = tmp_path_factory.mktemp("own")
    flair, truth = read(SAMPLE / "flair.nii.gz"), read(SAMPLE / "truth.nii.gz")
    random = np.random.default_rng(5)
    for place in ("flairs", "masks"):
        (folder / place).mkdir()
    for number, gain in enumerate((1.0, 1.3, 0.8)):
        noise = random.normal(0, 4.0, flair.data.shape)
        changed = (flair.data * gain + noise).clip(0).astype(np.float32)
        write(replace(flair, data=changed), folder / "flairs" / f"p{number}.nii.gz")
        mask = (np.asarray(truth.data) > 0).astype(np.uint8)
        write(replace(truth, data=mask), folder / "masks" / f"p{number}.nii.gz")
    return folder


def arguments(scans: Path, runs: Path, *more: str) -> list[str]:
    given = ["--images", str(scans / "flairs"), "--masks", str(scans / "masks"), "-o", str(runs)]
    return [*given, "--name", "mine", "--valid", "1", *more]


@pytest.fixture(scope="module")
def finetuned(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run of two steps, and what it said."""
    runs = tmp_path_factory.mktemp("runs")
    done = CliRunner().invoke(
        command, arguments(scans, runs, "--steps", "2"), help_option_names=["-h", "--help"]
    )
    assert done.exit_code == 0, done.output
    return runs / "mine", done.output


def case(scans: Path, number: int = 0) -> Case:
    return Case(
        str(scans / "flairs" / f"p{number}.nii.gz"),
        str(scans / "masks" / f"p{number}.nii.gz"),
        definition="vascular",
    )


def test_new_weights_are_a_folder_for_segmenting_with_an_honest_card(
    finetuned: tuple[Path, str],
) -> None:
    card, packaged = load_card(finetuned[0] / "model"), load_card()
    assert weights_path(card, folder=finetuned[0] / "model").name == "mine.xml"
    assert card.name == "mine"
    assert card.training.startswith(f"Finetuned from wmh-flair {load_card().version} (SHA-256")
    assert "on 2 scans of the user with masks (vascular), 2 steps" in card.training
    assert card.operating_points == packaged.operating_points
    assert card.attribution == packaged.attribution
    assert card.sha256 != packaged.sha256
    assert not (finetuned[0] / "model.part").exists()


def test_held_out_scans_are_scored_before_and_after(finetuned: tuple[Path, str]) -> None:
    told = json.loads((finetuned[0] / "finetune.json").read_bytes())
    assert told["trained_on"] == 2
    assert [one["id"] for one in told["cases"]] == told["held_out"]
    learned = {Path(one["flair"]).name for one in to_plain_recipe(finetuned[0])["data"]["cases"]}
    assert f"{told['held_out'][0]}.nii.gz" not in learned
    before, after = (told["cases"][0][when] for when in ("before", "after"))
    assert before["dice"] > 0.6  # the sample is of the kind that the packaged weights know
    assert set(before) == set(after) >= {"h95", "avd", "lesion_recall", "lesion_f1"}
    assert before["white_matter_ml"] > 100
    assert any(line in finetuned[1] for line in ("Finetuning helped", "did NOT help", "WORSE"))
    assert "1 held-out scan decides little" in finetuned[1]


def to_plain_recipe(run: Path) -> dict:
    content: dict = json.loads((run / "recipe.json").read_bytes())
    return content


def test_a_finished_run_is_not_replaced(finetuned: tuple[Path, str], scans: Path) -> None:
    recipe = finetune_recipe([case(scans)], name="mine", start=start_of(), steps=2)
    with pytest.raises(WriteError, match="finished"):
        require_free(recipe, out=finetuned[0].parent)


def test_a_run_goes_on_with_the_scans_it_was_begun_with_only(scans: Path, tmp_path: Path) -> None:
    recipe = finetune_recipe([case(scans, 0)], name="mine", start=start_of(), steps=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "last.ckpt").write_bytes(b"")
    (tmp_path / "mine" / "recipe.json").write_bytes(msgspec.json.encode(to_plain(recipe)))
    require_free(recipe, out=tmp_path)
    other = finetune_recipe([case(scans, 1)], name="mine", start=start_of(), steps=2)
    with pytest.raises(UsageError, match="other scans"):
        require_free(other, out=tmp_path)


def test_the_weights_of_a_run_can_be_finetuned_again(
    finetuned: tuple[Path, str], scans: Path
) -> None:
    start = start_of(finetuned[0])
    recipe = finetune_recipe([case(scans)], name="again", start=start)
    assert Path(str(recipe.init_from)) == (finetuned[0] / "model" / "mine.pt").resolve()
    assert (recipe.optimisation.steps, recipe.optimisation.minutes) == (1500, 20.0)
    told = card_fields(recipe, start=start, definition="ms", steps=7)["training"]
    assert told.startswith("Finetuned from mine 1")
    assert f"Finetuned from wmh-flair {load_card().version} " in told


def test_what_is_averaged_over_stays_with_the_operating_point(scans: Path) -> None:
    start = start_of()
    seen = msgspec.structs.replace(start.card, views=Views(flips=True, planes=True))
    recipe = finetune_recipe([case(scans)], name="again", start=start)
    fields = card_fields(recipe, start=replace(start, card=seen), definition="ms", steps=7)
    assert fields["views"] == {"flips": True, "planes": True}


def test_a_mask_of_several_labels_or_of_another_grid_is_refused(
    scans: Path, tmp_path: Path
) -> None:
    mask = read(scans / "masks" / "p0.nii.gz")
    labels = np.array(mask.data)
    labels[0, 0, 0] = 2
    write(replace(mask, data=labels), tmp_path / "labels.nii.gz")
    smaller = mask.data[:-1].copy()
    elsewhere = Grid.from_spacing(smaller.shape, mask.grid.spacing)
    write(Image(smaller, elsewhere), tmp_path / "other.nii.gz")
    write(replace(mask, data=np.zeros_like(labels)), tmp_path / "empty.nii.gz")
    flair = case(scans).flair
    with pytest.raises(UsageError, match="several values beside 0: 1, 2"):
        require_usable([Case(flair, str(tmp_path / "labels.nii.gz"))])
    with pytest.raises(GridMismatch):
        require_usable([Case(flair, str(tmp_path / "other.nii.gz"))])
    with pytest.raises(UsageError, match="empty"):
        require_usable([Case(flair, str(tmp_path / "empty.nii.gz"))])


def test_a_mask_with_caps_says_lesion_or_cap_inside_and_neither_outside() -> None:
    shares = np.array([0.9, 0.0], np.float32)
    everything = (1 << CLASS_COUNT) - 1
    found = allowed_classes(shares, None, with_caps=True).tolist()
    assert found == [LESION | CAP, everything & ~LESION & ~CAP]


def test_lesion_or_cap_weighs_as_lesion() -> None:
    logits = torch.zeros(1, CLASS_COUNT, 1, 2)
    rest = (1 << CLASS_COUNT) - 1 & ~LESION & ~CAP
    allowed = torch.tensor([[[LESION | CAP, rest]]], dtype=torch.int16)
    loss = MarginalCrossEntropy(lesion=3.0)(logits, allowed)["loss"]
    expected = (3.0 * np.log(CLASS_COUNT / 2) + np.log(CLASS_COUNT / (CLASS_COUNT - 2))) / 4.0
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_lesions_and_caps_together_are_not_taught_that_there_are_none() -> None:
    logits = torch.randn(1, CLASS_COUNT, 2, 2)
    rest = (1 << CLASS_COUNT) - 1 & ~LESION & ~CAP
    allowed = torch.full((1, 2, 2), rest, dtype=torch.int16)
    allowed[0, 0] = LESION | CAP
    together = MarginalDice(apart=False)(logits, allowed)
    expected = together["cross_entropy"] + 1.0 - together["dice_both"]
    assert float(together["loss"]) == pytest.approx(float(expected), rel=1e-6)


def test_the_anatomy_of_the_old_weights_stands_where_the_truth_leaves_it_open() -> None:
    everything = (1 << CLASS_COUNT) - 1
    alone, neither = everything & ~LESION, everything & ~LESION & ~CAP
    white, fluid = 1 << Tissue.WHITE_MATTER, 1 << Tissue.VENTRICLES
    told = [
        (neither, Tissue.VENTRICLES, 9.0, fluid),
        (neither, Tissue.CAP_RIM, 9.0, neither),  # the truth says there is none
        (alone, Tissue.CAP_RIM, 9.0, CAP),
        (alone, Tissue.LESION, 9.0, alone),
        (neither, Tissue.WHITE_MATTER, 0.1, neither),  # in doubt
        (LESION, Tissue.WHITE_MATTER, 9.0, LESION),
        (everything, Tissue.WHITE_MATTER, 9.0, everything),  # the edge of a lesion
        (white | fluid, Tissue.WHITE_MATTER, 9.0, white | fluid),  # a generated head knows better
    ]
    allowed = torch.tensor([[[possible for possible, *_ in told]]], dtype=torch.int16)
    logits = torch.zeros(1, CLASS_COUNT, 1, len(told))
    for place, (_, tissue, height, _) in enumerate(told):
        logits[0, int(tissue), 0, place] = height
    found = told_apart(allowed, logits)
    assert found.dtype == torch.int16
    assert found.flatten().tolist() == [expected for *_, expected in told]


def test_keeping_holds_the_statistics_and_adds_nothing_to_the_saved_state(tmp_path: Path) -> None:
    recipe = parse_recipe(
        "{name: a, network: {width: 2, levels: 2}, data: {labelmaps: [x], crop: [32, 32]}}"
    )
    module = SegmentationModule(recipe)
    names = set(module.state_dict())
    torch.save({"state_dict": module.network.state_dict()}, tmp_path / "final.pt")
    module.keep(tmp_path / "final.pt")
    before = {n: t.clone() for n, t in module.network.state_dict().items()}
    neither = (1 << CLASS_COUNT) - 1 & ~LESION & ~CAP
    batch = {
        "image": torch.randn(2, 3, 32, 32),
        "allowed": torch.full((2, 32, 32), neither, dtype=torch.int16),
    }
    module.train()
    module.training_step(batch).backward()
    assert set(module.state_dict()) == names
    for name, tensor in module.network.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(p.grad is not None for p in module.network.parameters())


def saved(path: Path, **options: int) -> Path:
    torch.manual_seed(1)
    network = build("unet", width=2, levels=2, **options)
    torch.save({"state_dict": network.state_dict()}, path)
    return path


def test_what_fits_is_taken_and_the_rest_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "best.pt", in_channels=3, classes=4)
    torch.manual_seed(2)
    network = build("unet", width=2, levels=2, in_channels=3, classes=2)
    head = network.state_dict()["head.weight"].clone()
    with pytest.raises(UsageError, match="another network"):
        start_from(path, network)
    taken = start_from(tmp_path, network, partial=True)  # the folder of a run
    own, there = network.state_dict(), load_weights(path)
    assert torch.equal(own["encoder.0.0.0.weight"], there["encoder.0.0.0.weight"])
    assert torch.equal(own["head.weight"], head)
    assert taken.fresh == (
        "head.weight (2, 2, 1, 1), there (4, 2, 1, 1)",
        "head.bias (2,), there (4,)",
    )
    assert taken.of - taken.numbers == 2 * 2 + 2
    assert "started anew: head.weight" in str(taken)


def test_weights_of_which_nothing_fits_are_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {"strange": torch.zeros(3)}}, tmp_path / "final.pt")
    with pytest.raises(UsageError, match="nothing of it"):
        start_from(tmp_path / "final.pt", build("unet", width=2, levels=2), partial=True)
    (tmp_path / "final.pt").unlink()
    with pytest.raises(ReadError, match="holds no weights"):
        weights_file(tmp_path)


def test_a_task_goes_on_from_a_run_with_other_classes(tmp_path: Path) -> None:
    write_data(tmp_path)
    content = recipe_content(tmp_path, steps=4)
    train_task(parse_task(content), out=tmp_path / "runs")
    content |= {"name": "second"}
    content["data"]["classes"] = {1: "disc", 2: "ring"}
    (tmp_path / "second.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    done = CliRunner().invoke(
        command,
        [str(tmp_path / "second.yaml"), "--from", str(tmp_path / "runs" / "small"),
         "-o", str(tmp_path / "runs"), "--steps", "2", "--lr", "0.001"],
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "started anew: head.weight (3, 4, 1, 1), there (2, 4, 1, 1)" in done.output
    kept = json.loads((tmp_path / "runs" / "second" / "recipe.json").read_bytes())
    assert (kept["optimisation"]["steps"], kept["optimisation"]["lr"]) == (2, 0.001)


def test_weights_of_another_kind_are_no_start_for_scans(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no weights for WMH"):
        start_of(saved(tmp_path / "best.pt").parent)


def test_what_cannot_be_meant_is_said(tmp_path: Path) -> None:
    recipe = tmp_path / "a.yaml"
    recipe.write_text(yaml.safe_dump(recipe_content(tmp_path)), encoding="utf-8")
    for given, message in (
        ([], "Give either"),
        (["--images", str(tmp_path)], "without masks"),
        ([str(recipe), "--seed", "3"], "--seed goes with --images"),
        ([str(recipe)], "which weights to begin with"),
    ):
        with pytest.raises(UsageError, match=message):
            CliRunner().invoke(
                command,
                given,
                catch_exceptions=False,
                standalone_mode=False,
                help_option_names=["-h", "--help"],
            )


def test_without_torch_the_extra_is_named(scans: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from leuko.cli import main\n"
        "sys.exit(main(['finetune', *sys.argv[1:]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments(scans, tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    assert "leuko[train]" in done.stderr
