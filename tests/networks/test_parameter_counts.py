"""Networks have as many parameters as those they are named after; sources beside the numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from leuko.errors import UsageError
from leuko.networks.catalogue import build

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

ORIGINAL = {"width": 64, "levels": 5, "widest": 16}  # 64 to 1024 channels


def count(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def counted(name: str, **options: Any) -> int:
    with torch.device("meta"):
        return count(build(name, **options))


def test_unet_is_the_published_one_with_normalisations_in_the_place_of_biases() -> None:
    """Ronneberger et al. 2015, one channel, two classes: 31,030,658 with a bias a convolution.

    A normalisation has two numbers a channel where a bias is one: one more a channel of the 18
    convolutions of size 3.
    """
    channels = 2 * (64 + 128 + 256 + 512 + 1024) + 2 * (512 + 256 + 128 + 64)
    assert 31_030_658 + channels == counted("unet", in_channels=1, classes=2, **ORIGINAL)
    # milesial/Pytorch-UNet, three channels, one class, transposed convolutions
    assert 31_037_633 == counted("unet", in_channels=3, classes=1, **ORIGINAL)


def test_resunet_is_the_unet_and_a_shortcut_where_channels_change() -> None:
    shortcuts = [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)]
    shortcuts += [(2 * high, high) for high in (512, 256, 128, 64)]
    extra = sum(before * after + 2 * after for before, after in shortcuts)
    plain = counted("unet", in_channels=1, classes=2, **ORIGINAL)
    assert plain + extra == counted("resunet", in_channels=1, classes=2, **ORIGINAL)


def test_unet_plus_plus_has_the_published_size() -> None:
    """Zhou et al. 2018, table 3: U-Net 7.76 M, U-Net++ 9.04 M, for 32 to 512 channels."""
    options = {"width": 32, "widest": 16, "in_channels": 1, "classes": 1}
    encoder = 2 * sum(32 * 2**level for level in range(5))
    nodes = 2 * sum((4 - level) * 32 * 2**level for level in range(4))
    # Less one a channel: there a bias, here the two numbers of a normalisation.
    assert "9.04" == f"{(counted('unet++', **options) - encoder - nodes) / 1e6:.2f}"
    assert "7.76" == f"{counted('unet', **options) / 1e6:.2f}"


def test_attention_unet_is_the_known_one_with_our_upsampling() -> None:
    """LeeJunHyun/Image_Segmentation's AttU_Net, three channels, one class: 34,878,573.

    It enlarges by nearest neighbours, then a convolution of size 3 with bias and normalisation;
    ours is transposed, of size 2, with bias. And it has a bias before each normalisation.
    """
    pairs = list(pairwise((1024, 512, 256, 128, 64)))
    upsampling = sum((9 - 4) * deep * high + 2 * high for deep, high in pairs)
    biases = 2 * (64 + 128 + 256 + 512 + 1024) + 2 * (512 + 256 + 128 + 64)
    gates = sum(2 * (high // 2) + 1 for _, high in pairs)
    expected = 34_878_573 - upsampling - biases - gates
    assert expected == counted("attention-unet", in_channels=3, classes=1, **ORIGINAL)


def test_resunet_plus_plus_is_counted_by_hand() -> None:
    """Jha et al. 2019, 16 to 256 channels, three channels, one class, without upsampling's own."""

    def unit(before: int, after: int, *, first: bool = False, squeezed: bool = True) -> int:
        convolutions = 9 * before * after + 9 * after * after + before * after
        norms = (0 if first else 2 * before) + 2 * after + 2 * after
        return convolutions + norms + squeezed * 2 * after * max(4, after // 8)

    def pyramid(before: int, after: int) -> int:
        return 4 * (9 * before * after + 2 * after) + after * after + after

    def attention(skip: int, deep: int) -> int:
        return 9 * skip * deep + 2 * 9 * deep * deep + 2 * skip + 4 * deep

    encoder = unit(3, 16, first=True) + unit(16, 32) + unit(32, 64) + unit(64, 128)
    decoder = (
        attention(64, 256) + unit(256 + 64, 128, squeezed=False)
        + attention(32, 128) + unit(128 + 32, 64, squeezed=False)
        + attention(16, 64) + unit(64 + 16, 32, squeezed=False)
    )  # fmt: skip
    expected = encoder + pyramid(128, 256) + decoder + pyramid(32, 16) + (16 + 1)
    options = {"upsampling": "nearest", "in_channels": 3, "classes": 1}
    assert expected == counted("resunet++", **options)


# torchvision's resnet18, resnet34, resnet50: three channels, 1000 classes
RESNETS = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032}


@pytest.mark.parametrize("variant", RESNETS)
def test_resnet_has_torchvisions_count(variant: int) -> None:
    assert RESNETS[variant] == counted("resnet", variant=variant, in_channels=3, classes=1000)


def test_fcn_is_a_resnet_without_its_last_layer_and_three_scores() -> None:
    encoder = RESNETS[18] - (512 * 1000 + 1000)
    scores = (512 + 256 + 128 + 3) * 21
    enlarging = (2 * 4**2 + 16**2) * 21 * 21
    assert encoder + scores + enlarging == counted("fcn", in_channels=3, classes=21)


# SegformerModel of transformers 5.23 with the depths and channels of nvidia/mit-b0 to -b5
MIX_TRANSFORMERS = {
    "b0": 3_319_392,
    "b1": 13_151_424,
    "b2": 24_196_288,
    "b3": 44_072_128,
    "b4": 60_842_688,
    "b5": 81_443_008,
}


@pytest.mark.parametrize("variant", MIX_TRANSFORMERS)
def test_mix_transformers_have_segformers_count(variant: str) -> None:
    with torch.device("meta"):
        network = build("mit-unet", variant=variant, in_channels=3)
    assert MIX_TRANSFORMERS[variant] == count(network.encoder)


@pytest.fixture(scope="module")
def segformer() -> Any:
    """A SegFormer of transformers, B0, with random weights far from the initial ones."""
    transformers = pytest.importorskip("transformers", reason="needs the train extra")
    torch.manual_seed(0)
    model = transformers.SegformerForSemanticSegmentation(transformers.SegformerConfig())
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def test_transformers_weights_give_transformers_features(segformer: Any) -> None:
    encoder = build("mit-unet", in_channels=3).encoder
    encoder.load_transformers(segformer.state_dict())
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = segformer.segformer(image, output_hidden_states=True).hidden_states
        found = encoder.eval().stages(image)
    assert 4 == len(expected) == len(found)
    for theirs, ours in zip(expected, found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


HUB = {  # names in nvidia/mit-b0's file, of which transformers 5 makes its own
    "segformer.encoder.patch_embeddings.1.proj.weight": "parts.1.patches.weight",
    "segformer.encoder.patch_embeddings.0.layer_norm.bias": "parts.0.patches_norm.bias",
    "segformer.encoder.block.2.1.layer_norm_1.weight": "parts.2.blocks.1.norm1.weight",
    "segformer.encoder.block.2.1.layer_norm_2.bias": "parts.2.blocks.1.norm2.bias",
    "segformer.encoder.block.0.1.attention.self.query.weight": (
        "parts.0.blocks.1.attention.query.weight"
    ),
    "segformer.encoder.block.0.1.attention.self.sr.bias": "parts.0.blocks.1.attention.reduce.bias",
    "segformer.encoder.block.0.1.attention.self.layer_norm.bias": (
        "parts.0.blocks.1.attention.reduce_norm.bias"
    ),
    "segformer.encoder.block.0.1.attention.output.dense.bias": (
        "parts.0.blocks.1.attention.output.bias"
    ),
    "segformer.encoder.block.3.0.mlp.dense1.weight": "parts.3.blocks.0.mixing.expand.weight",
    "segformer.encoder.block.3.0.mlp.dwconv.dwconv.weight": (
        "parts.3.blocks.0.mixing.depthwise.weight"
    ),
    "segformer.encoder.block.3.0.mlp.dense2.weight": "parts.3.blocks.0.mixing.contract.weight",
    "segformer.encoder.layer_norm.3.weight": "parts.3.norm.weight",
    "decode_head.classifier.weight": "",
    "classifier.bias": "",
}


@pytest.mark.parametrize("theirs", HUB)
def test_names_in_files_on_the_hub_are_known(theirs: str) -> None:
    from leuko.networks.mix_transformer import own_name

    assert HUB[theirs] == own_name(theirs)


@pytest.mark.parametrize("options", [{"variant": "b1"}, {"in_channels": 1}, {"dims": 3}])
def test_weights_of_another_transformer_are_refused(segformer: Any, options: Any) -> None:
    encoder = build("mit-unet", **{"in_channels": 3, **options}).encoder
    with pytest.raises(UsageError, match="not those of this Mix Transformer"):
        encoder.load_transformers(segformer.state_dict())
