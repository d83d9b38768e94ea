"""Teachers of other widths and channels, the mean of weights, and labels made by networks."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("lightning", reason="needs the train extra (lightning)")

from leuko.errors import UsageError  # noqa: E402
from leuko.formats.write import write  # noqa: E402
from leuko.image.grid import Grid  # noqa: E402
from leuko.image.image import Image  # noqa: E402
from leuko.models.classes import CLASS_COUNT, Tissue  # noqa: E402
from leuko.networks.catalogue import build  # noqa: E402
from leuko.training.crops import crops, probable_classes  # noqa: E402
from leuko.training.distillation import Teachers, divergence  # noqa: E402
from leuko.training.mean_weights import mean_weights, renew_statistics  # noqa: E402
from leuko.training.module import SegmentationModule  # noqa: E402
from leuko.training.pseudo_labels import label  # noqa: E402
from leuko.training.real import load_case  # noqa: E402
from leuko.training.recipe import Augmentation, Case, parse_recipe  # noqa: E402

ALL = (1 << CLASS_COUNT) - 1
LESION = 1 << Tissue.LESION
CAP = 1 << Tissue.CAP_RIM


def saved(path: Path, *, seed: int, channels: int = 3, width: int = 2) -> Path:
    """A final.pt of a random U-Net."""
    torch.manual_seed(seed)
    options = {"in_channels": channels, "classes": CLASS_COUNT, "width": width, "levels": 2}
    network = build("unet", **options)
    for name, value in network.named_buffers():
        if name.endswith("running_mean"):
            value.normal_(0.0, 0.3)
    content = {"network": {"name": "unet", "options": options}, "state_dict": network.state_dict()}
    torch.save(content, path)
    return path


def test_teachers_of_any_width_and_channels_give_the_mean_of_their_answers(tmp_path: Path) -> None:
    places = [
        str(saved(tmp_path / "a.pt", seed=1)),
        str(saved(tmp_path / "b.pt", seed=2, channels=4, width=3)),
    ]
    image = torch.rand(2, 4, 16, 16)
    alone = [Teachers.of([place]).probabilities(image) for place in places]
    both = Teachers.of(places).probabilities(image)
    torch.testing.assert_close(both, (alone[0] + alone[1]) / 2)
    torch.testing.assert_close(both.sum(1), torch.ones(2, 16, 16))
    # Without a T1 the one that knows it sees zeros.
    image[:, 3] = 0.0
    torch.testing.assert_close(
        Teachers.of(places).probabilities(image[:, :3]), Teachers.of(places).probabilities(image)
    )


def test_a_teacher_that_knows_more_neighbours_is_refused_before_training(tmp_path: Path) -> None:
    place = str(saved(tmp_path / "a.pt", seed=1, channels=5))
    recipe = parse_recipe(
        "{name: a, network: {width: 2, levels: 2}, data: {labelmaps: [x], crop: [16, 16]},"
        f" distil_from: ['{place}']}}"
    )
    with pytest.raises(UsageError, match="4 neighbours"):
        SegmentationModule(recipe).distil(recipe.distil_from)


def test_divergence_is_0_for_the_same_answer_and_by_hand_for_another() -> None:
    target = torch.tensor([0.75, 0.25]).view(1, 2, 1, 1).expand(2, 2, 3, 3)
    assert float(divergence(target.log(), target)) == pytest.approx(0.0, abs=1e-6)
    even = float(divergence(torch.zeros(2, 2, 3, 3), target))
    assert even == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5), rel=1e-5)


def test_the_teachers_answer_is_learned_beside_the_truth(tmp_path: Path) -> None:
    place = str(saved(tmp_path / "a.pt", seed=1))
    recipe = parse_recipe(
        "{name: a, network: {width: 2, levels: 2}, data: {labelmaps: [x], crop: [16, 16]},"
        f" distil_from: ['{place}'], distil_weight: 2.0}}"
    )
    module = SegmentationModule(recipe)
    names = set(module.state_dict())
    # Truth says nothing at all: what is learned is the teacher's.
    batch = {
        "image": torch.rand(4, 3, 16, 16),
        "allowed": torch.full((4, 16, 16), ALL, dtype=torch.int16),
    }
    assert float(module.training_step(batch).detach()) == pytest.approx(0.0, abs=1e-6)
    module.distil(recipe.distil_from)
    optimiser = torch.optim.Adam(module.network.parameters(), 0.03)
    told = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = module.training_step(batch)
        loss.backward()
        optimiser.step()
        told.append(float(loss.detach()))
        assert told[-1] == pytest.approx(2.0 * module.latest["distil"], rel=1e-4)
    assert told[-1] < 0.3 * told[0]
    assert set(module.state_dict()) == names


def test_the_mean_of_weights_is_the_mean_and_of_one_network_only(tmp_path: Path) -> None:
    files = [saved(tmp_path / f"{n}.pt", seed=n) for n in (1, 2, 3)]
    content = mean_weights(files)
    stored = [torch.load(file, weights_only=True)["state_dict"] for file in files]
    for name, tensor in content["state_dict"].items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, sum(one[name] for one in stored) / 3)
    build("unet", **content["network"]["options"]).load_state_dict(content["state_dict"])
    with pytest.raises(UsageError, match="another network"):
        mean_weights([files[0], saved(tmp_path / "wide.pt", seed=1, width=3)])
    with pytest.raises(UsageError, match="two"):
        mean_weights(files[:1])


def test_statistics_are_estimated_anew_over_all_batches() -> None:
    network = build("unet", in_channels=3, classes=CLASS_COUNT, width=2, levels=2)
    batches = [torch.rand(4, 3, 16, 16) + shift for shift in (0.0, 1.0)]
    convolution, norm = (m for m in itertools.islice(network.encoder[0].modules(), 2, 4))
    with torch.no_grad():
        expected = torch.stack([convolution(b).mean((0, 2, 3)) for b in batches]).mean(0)
    norm.running_mean.fill_(7.0)
    assert renew_statistics(network, batches) == 2
    torch.testing.assert_close(norm.running_mean, expected)
    assert not norm.training
    assert norm.momentum is not None
    with pytest.raises(UsageError, match="slices"):
        renew_statistics(network, [])


def test_doubtful_probabilities_are_left_open() -> None:
    lesion = np.array([0.05, 0.5, 0.9, 0.05, 0.5, 0.05], np.float32)
    cap = np.array([0.05, 0.05, 0.05, 0.9, 0.45, 0.5], np.float32)
    assert probable_classes(lesion, cap).tolist() == [
        ALL & ~LESION & ~CAP, ALL & ~CAP, LESION, CAP, LESION | CAP, ALL & ~LESION
    ]  # fmt: skip
    assert probable_classes(lesion, None).tolist()[:3] == [ALL & ~LESION, ALL, LESION]


class Ramps(torch.nn.Module):
    """Lesions are likelier to the front, caps to the right."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = image.new_zeros(len(image), CLASS_COUNT, *image.shape[2:])
        logits[:, Tissue.LESION] += torch.linspace(-3, 3, image.shape[3])
        logits[:, Tissue.CAP_RIM] += torch.linspace(-3, 3, image.shape[2])[:, None]
        return logits


def test_a_head_is_labelled_mirrored_and_never_upside_down() -> None:
    """Networks see mirrored heads in training, but no head with its face at the back."""
    head = np.full((40, 48, 5), 100.0, np.float32)
    flair = Image(head, Grid(head.shape, np.diag([1.5, 1.5, 5.0, 1.0])))
    lesions, caps = label(flair, Teachers([Ramps()], channels=[3]), pixel_mm=1.5)
    assert (np.diff(lesions.data[5:35, 5:43, 2], axis=1) > 0).all()
    np.testing.assert_allclose(caps.data[::-1], caps.data, atol=1e-5)


def test_labels_of_networks_become_a_case(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    x, y, _ = np.mgrid[:40, :48, :5]
    head = 100.0 * ((x - 20) ** 2 + (y - 24) ** 2 < 18**2) * random.uniform(0.9, 1.1, x.shape)
    flair = Image(head.astype(np.float32), Grid(x.shape, np.diag([-1.5, 1.5, 5.0, 1.0])))
    teachers = Teachers.of([str(saved(tmp_path / "a.pt", seed=1))])
    lesions, caps = label(flair, teachers, pixel_mm=1.5)
    assert lesions.grid == flair.grid
    inside = np.s_[18:22, 22:26, 1:4]
    assert 0.0 < lesions.data[inside].min() <= lesions.data.max() <= 1.0
    # The mean of the mirrored views: a mirrored scan has mirrored labels.
    turned = Image(head[::-1].astype(np.float32).copy(), flair.grid)
    mirrored, _ = label(turned, teachers, pixel_mm=1.5)
    np.testing.assert_allclose(mirrored.data[::-1], lesions.data, atol=0.02)

    graded = np.select([x < 15, x < 25], [0.1, 0.5], 0.9).astype(np.float32)
    names = {"flair": flair, "lesions": Image(graded, flair.grid), "caps": caps}
    for name, image in names.items():
        write(image, tmp_path / f"{name}.nii.gz")
    case = Case(*(str(tmp_path / f"{name}.nii.gz") for name in names), probable=True)
    (real,) = load_case(case, pixel_mm=1.5)
    stream = crops([real], shape=(48, 48), augmentation=Augmentation(), seed=1)
    possible = {int(v) for c in itertools.islice(stream, 8) for v in np.unique(c.allowed)}
    assert {ALL & ~LESION & ~CAP, ALL & ~CAP, LESION} <= possible
    with pytest.raises(UsageError, match="probabilities"):
        load_case(msgspec.structs.replace(case, lesions=case.flair), pixel_mm=1.5)
