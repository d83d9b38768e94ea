"""A finished run as a model folder: OpenVINO graph, weights for torch, ONNX on request, card."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from leuko.errors import LeukoError, MissingExtra, ReadError, UsageError, WriteError
from leuko.inference import openvino_engine
from leuko.inference.trained import CARD, GRAPH, TrainedCard, TrainedNetwork, card_to_json
from leuko.networks import catalogue
from leuko.preparation.case import CasePlan
from leuko.training.supervised.prior import Probabilities, prior_offset
from leuko.training.weights import load_state

__all__ = ["export_run"]

FloatArray = npt.NDArray[np.float32]
WEIGHTS, ONNX = "weights.pt", "network.onnx"
MOST_DISAGREEMENT = 2e-2  # in probability: weights are stored with 16 bits where these do
EXAMPLE = 64  # pixels of an example along each axis, at most
OPSET = 17


def export_run(
    run: Path,
    *,
    out: Path,
    which: Literal["best", "final"] = "best",
    onnx: bool = False,
    prior: Literal["", "loss", "data"] = "",
) -> TrainedCard:
    """Write the model folder `out` from the folder of a run: model.json and the network.

    `which`: the weights of the best validation score, or those at the end; a run without
    validation items has only these. `prior`: another than the recipe's (`prior_offset`). An `out`
    that is a model already is replaced, file by file.
    Graph and ONNX hold the softmax, and take any batch and any size that is a multiple of the
    network's stride. ReadError (exit 3) where the run holds no weights, UsageError (exit 2) for
    a run of the WMH generator, WriteError (exit 6) where `out` holds something else, MissingExtra
    (exit 9) for ONNX without the package onnx. The graph's answers are compared with the
    network's: weights have 16 bits, or 32 where 16 would change a probability by more than 0.02.
    """
    _require_free(out)
    if onnx and importlib.util.find_spec("onnx") is None:
        raise MissingExtra.needed("Writing ONNX", extra="onnx", modules=["onnx"])
    content = load_state(_weights_of(run, which))
    recipe = _recipe(content, run)
    if prior:
        recipe = {**recipe, "prior": prior}
    network, record = _network(content)
    offset = prior_offset(recipe, beta=content.get("beta"), classes=len(content["classes"]))
    module = Probabilities(network, offset).eval()
    plan = msgspec.convert(recipe["case"], CasePlan)
    with tempfile.TemporaryDirectory(prefix="leuko-export-") as aside:
        folder = Path(aside)
        disagreement = _write_graphs(module, record, folder=folder, dims=plan.dims, onnx=onnx)
        _write_weights(content, folder / WEIGHTS)
        card = TrainedCard(
            name=str(recipe["name"]),
            task=recipe["task"],
            network=record,
            plan=plan,
            classes=tuple(content["classes"]),
            values=tuple(content.get("values", ())) if recipe["task"] == "segmentation" else (),
            channels=_channels(content, recipe),
            region=_with_regions(run),
            files={
                file.name: sha256(file.read_bytes()).hexdigest()
                for file in sorted(folder.iterdir())
            },
            prior=recipe.get("prior", "loss"),
            scores={k: float(v) for k, v in content.get("scores", {}).items()},
            step=int(content.get("step", 0)),
            disagreement=round(disagreement, 6),
            version=str(getattr(sys.modules["leuko"], "__version__", "")),
        )
        (folder / CARD).write_bytes(card_to_json(card))
        _move(folder, out)
    return card


def _weights_of(run: Path, which: str) -> Path:
    """The file of weights in a run's folder."""
    if not run.is_dir():
        raise ReadError(
            f"There is no run {run.name}.", hint="Give the folder that leuko train wrote."
        )
    names = ("final.pt",) if which == "final" else ("best.pt", "final.pt")
    for name in names:
        if (run / name).is_file():
            return run / name
    if (run / "last.ckpt").is_file():
        raise ReadError(
            f"The run {run.name} is not finished: it holds no {names[0]} yet.",
            hint="Go on with leuko train; best.pt is there after the first validation.",
        )
    raise ReadError(
        f"{run.name} is no training run: it holds no {' and no '.join(names)}.",
        hint="Give the folder that leuko train wrote, for example runs/NAME.",
    )


def _recipe(content: Mapping[str, Any], run: Path) -> Mapping[str, Any]:
    recipe = content.get("recipe", {})
    if "task" not in recipe:
        raise UsageError(
            f"The run {run.name} is of the WMH generator, whose weights leuko segment uses.",
            hint="Export them with: python recipes/package_weights.py FINAL.pt FOLDER, and use "
            "them with leuko segment --model FOLDER.",
        )
    return dict(recipe)


def _network(content: Mapping[str, Any]) -> tuple[nn.Module, TrainedNetwork]:
    """The network with its weights, ready to answer, and its record for the card."""
    name, options = str(content["network"]["name"]), dict(content["network"]["options"])
    network = catalogue.build(name, **options)
    try:
        network.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        raise ReadError(
            f"The weights do not fit the network {name} that they name.",
            hint="Was the run made by another version of leuko? Train it again.",
        ) from error
    record = TrainedNetwork(
        name=name,
        options=options,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        stride=int(getattr(network, "stride", 1)),
        least=int(getattr(network, "least", 1)),
    )
    return network.eval(), record


def _write_graphs(
    module: nn.Module, record: TrainedNetwork, *, folder: Path, dims: int, onnx: bool
) -> float:
    """Write the graph, and ONNX where asked; how far they are from the module at most."""
    edge = max(record.least, EXAMPLE // record.stride * record.stride, record.stride)
    size = [edge] * dims
    example = torch.zeros(1, int(record.options["in_channels"] or 1), *size)
    openvino_engine.save(module, folder / GRAPH, example=example)
    written = [folder / GRAPH]
    if onnx:
        _write_onnx(module, folder / ONNX, example=example, spatial=_spatial(record))
        written.append(folder / ONNX)
    # Another size than the one the graph was traced with: it must be open.
    shapes = (size, [*size[:-1], size[-1] + record.stride])
    found = {path: _compared(module, path, example, shapes) for path in written}
    if not found[folder / GRAPH] <= MOST_DISAGREEMENT:  # 16 bits a weight are too few for this one
        for old in (folder / GRAPH, (folder / GRAPH).with_suffix(".bin")):
            old.unlink()
        openvino_engine.save(module, folder / GRAPH, example=example, half=False)
        found[folder / GRAPH] = _compared(module, folder / GRAPH, example, shapes)
    for path, difference in found.items():
        if not difference <= MOST_DISAGREEMENT:  # nan too
            raise LeukoError(
                f"{path.name} does not compute what the network computes: probabilities differ by "
                f"{difference:.3g}.",
                hint="Please report this, with the recipe.",
            )
    return max(found.values())


def _compared(
    module: nn.Module, path: Path, example: Tensor, shapes: Sequence[Sequence[int]]
) -> float:
    """The largest difference between the network's and the graph's probabilities."""
    other = torch.Generator().manual_seed(0)
    run = openvino_engine.load_graph(path, precision="f32")
    worst = 0.0
    for shape in shapes:
        images = torch.randn(2, example.shape[1], *shape, generator=other)
        with torch.no_grad():
            wanted = module(images).numpy()
        found = run(images.numpy())
        if found.shape != wanted.shape:
            return float("inf")
        worst = float(np.maximum(worst, np.abs(found - wanted).max()))  # nan stays
    return worst


def _spatial(record: TrainedNetwork) -> bool:
    return catalogue.architecture(record.name).task == "segmentation"


def _write_onnx(module: nn.Module, path: Path, *, example: Tensor, spatial: bool) -> None:
    axes = {0: "batch"} | {axis: f"size_{axis - 1}" for axis in range(2, example.dim())}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch speaks of its other way to export
        torch.onnx.export(
            module,
            (example,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["probabilities"],
            dynamic_axes={"image": axes, "probabilities": axes if spatial else {0: "batch"}},
        )


def _write_weights(content: Mapping[str, Any], path: Path) -> None:
    """The network's parameters with 16 bits, its running statistics as they are."""
    state = {
        name: tensor.half()
        if tensor.is_floating_point() and not name.endswith(("running_mean", "running_var"))
        else tensor
        for name, tensor in content["state_dict"].items()
    }
    torch.save({"network": content["network"], "state_dict": state}, path)


def _channels(content: Mapping[str, Any], recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the images of an example, from the data's description where it names them."""
    given = content.get("channels", 1)
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(str(name) for name in given)
    images = recipe.get("data", {}).get("images", ())
    listed = [images] if isinstance(images, str) else list(images)
    names = [Path(str(name)).name for name in listed if name]
    if names == ["images"]:
        return ("image",)
    if len(names) == int(given) == len(set(names)):
        return tuple(names)
    return ("image",) if int(given) == 1 else tuple(f"image{k + 1}" for k in range(int(given)))


def _with_regions(run: Path) -> bool:
    """Whether the run's items have regions: then every image to predict needs one."""
    try:
        items = msgspec.json.decode((run / "items.json").read_bytes())
        return any(item.get("region") for item in items)
    except (OSError, msgspec.DecodeError, AttributeError, TypeError):
        return False


def _require_free(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise WriteError(f"{out.name} is a file.", hint="Give a folder for the model with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / CARD).is_file():
        raise WriteError(
            f"The folder {out.name} holds something else than a model.",
            hint="Choose another folder with --out.",
        )


def _move(folder: Path, out: Path) -> None:
    """Put the files into `out`, the card last: while it is away nobody takes this for a model."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for old in (CARD, GRAPH, GRAPH.replace(".xml", ".bin"), WEIGHTS, ONNX):
            (out / old).unlink(missing_ok=True)
        for file in sorted(folder.iterdir(), key=lambda path: path.name == CARD):
            shutil.copyfile(file, out / file.name)
    except OSError as error:
        raise WriteError(
            f"The model cannot be written to {out.name}: {error.strerror}.",
            hint="Check the space on the disk, or choose another folder with --out.",
        ) from error
