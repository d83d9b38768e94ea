"""The recipe of a training run: one YAML file, validated, unknown fields refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from leuko.errors import ReadError, UsageError
from leuko.models.channels import input_channels

__all__ = [
    "PRECISIONS",
    "Augmentation",
    "Case",
    "Checkpoint",
    "Data",
    "Loss",
    "Network",
    "Optimisation",
    "Recipe",
    "Validation",
    "load_recipe",
    "parse_recipe",
    "parse_yaml",
    "read_text",
    "to_plain",
]

Positive = Annotated[int, msgspec.Meta(ge=1)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Rate = Annotated[float, msgspec.Meta(gt=0.0)]
Magnitude = Annotated[float, msgspec.Meta(ge=0.0)]
PRECISIONS = ("auto", "bf16", "f16", "f32")


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which architecture, and its options (`leuko.networks.catalogue.build`)."""

    name: str = "unet"
    in_channels: Positive = 3
    classes: Positive = 10
    width: Positive = 24
    levels: Annotated[int, msgspec.Meta(ge=2, le=8)] = 5
    norm: str = "batch"
    dropout: Share = 0.0
    upsampling: str = "transposed"

    def options(self) -> dict[str, Any]:
        """The keyword arguments of `build`, without the name."""
        return {key: value for key, value in msgspec.to_builtins(self).items() if key != "name"}


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A real scan with truth: files of one geometry (the T1 alone may have its own).

    Without `lesions` the head counts as free of lesions. With `caps` the truth separates
    periventricular caps and rims from lesions; without, `lesions` holds lesions alone and whether
    a voxel is cap or rim is unknown (definition 'ms'), or it holds both alike ('vascular').
    """

    flair: str
    lesions: str | None = None
    caps: str | None = None
    t1: str | None = None  # of any grid in the FLAIR's space; used with data.t1_share
    definition: Literal["vascular", "ms"] = "ms"
    # lesions and caps are probabilities, 0 to 1, as recipes/pseudo_labels.py writes them: what is
    # between 0.2 and 0.8 stays open.
    probable: bool = False
    weight: Rate = 1.0  # how often the case is drawn, relative to the others


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strongly real crops are changed; widths of the distributions, not of one draw."""

    rotation_deg: Magnitude = 12.0
    scale: Magnitude = 0.1
    flip: Share = 0.5
    gamma: Magnitude = 0.2  # log standard deviation
    contrast: Magnitude = 0.15
    level: Magnitude = 0.08  # of the intensity that counts as 1
    bias: Magnitude = 0.15
    noise: Magnitude = 0.05
    blur_px: Magnitude = 0.8
    offset: Magnitude = 0.3  # added to some crops everywhere, of the brain level
    coarsening: Magnitude = 1.0  # in-plane resolution is worsened by up to 1 + this
    lesion_share: Share = 0.5  # crops that are centred on a lesion


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where slices come from: generated from label maps, cropped from real cases, or both."""

    labelmaps: tuple[str, ...] = ()  # paths or patterns such as ${DATA}/labelmaps/*.nii.gz
    cases: tuple[Case, ...] = ()
    real_share: Share = 0.0
    crop: tuple[Positive, Positive] = (160, 192)  # pixels, multiples of 2**(levels - 1)
    pixel_mm: Rate = 0.8
    buffer: Positive = 2000  # slices that are shuffled
    warm: Positive = 256  # slices in the buffer before the first batch is drawn
    reuse: Positive = 3  # draws of one slice at most
    workers: Natural = 1  # generating processes; 0: in the training process (for tests)
    synthesis: dict[str, Any] = {}  # settings of the generator, passed on
    augmentation: Augmentation = Augmentation()
    # With a share the T1 is the last channel, shown in that share of slices where there is one.
    t1_share: Share | None = None
    # Rising distances of the neighbour slices on either side; crops vary them.
    neighbours_mm: tuple[Rate, ...] = (3.0,)

    @property
    def channels(self) -> int:
        """Channels of a slice: the FLAIR amid its neighbours, and perhaps the T1."""
        return input_channels(len(self.neighbours_mm), t1=self.t1_share is not None)


class Optimisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The optimiser, its learning rate over the run, and a moving average of the weights.

    `schedule` is how the rate falls from lr after the warm-up: along a cosine, as (1 - done)**0.9
    (poly), in two equal steps (step), by the same factor all along (exponential), or not at all
    (constant). With `minutes`, the schedule runs out at `steps` or after this training time,
    whichever is first; time before a resume counts.
    """

    steps: Positive = 10_000
    minutes: Rate | None = None
    batch: Positive = 8
    optimiser: Literal["adamw", "adam", "sgd", "rmsprop"] = "adamw"
    momentum: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.9  # of adam, the first beta
    schedule: Literal["cosine", "poly", "constant", "step", "exponential"] = "cosine"
    lr: Rate = 2e-3
    final_lr: Share = 0.01  # of lr, reached in the end
    warmup_steps: Natural = 300
    weight_decay: Magnitude = 1e-4
    clip: Rate = 5.0  # norm of the gradient
    ema_decay: Share = 0.999
    precision: str = "auto"  # 'auto', 'bf16', 'f16' (GPUs only) or 'f32'
    threads: Positive = 1  # of the training process; 2 busy cores with 2 threads are slower


class Loss(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which loss (`leuko.training.losses`), and its options."""

    name: str = "marginal-dice"
    options: dict[str, Any] = {}


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the state is saved, and progress told, in seconds."""

    every_s: Magnitude = 300.0
    report_s: Magnitude = 30.0


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed synthetic set; its figures only show that training works, never choose weights."""

    every_steps: Positive = 1000
    slices: Natural = 96
    seed: Natural = 987_654


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides a training run."""

    name: str
    seed: Natural = 1
    network: Network = Network()
    data: Data = Data()
    optimisation: Optimisation = Optimisation()
    loss: Loss = Loss()
    checkpoint: Checkpoint = Checkpoint()
    validation: Validation = Validation()
    init_from: str | None = None  # weights to start from: a final.pt or a checkpoint
    # Weights whose anatomy is kept where real truth leaves it open; batch statistics stay theirs.
    keep_from: str | None = None
    # Weights, of any networks, whose mean probabilities are learned beside the truth.
    distil_from: tuple[str, ...] = ()
    distil_weight: Magnitude = 1.0  # of the divergence from them; the loss itself has 1


def load_recipe(path: Path, *, data: Path | None = None) -> Recipe:
    """The recipe in a YAML file, ${DATA} in its paths replaced by `data`, ${RECIPE} by its folder.

    ReadError where the file cannot be read, UsageError where it is not a valid recipe.
    """
    return parse_recipe(read_text(path), data=data, name=path.name, folder=path.parent)


def read_text(path: Path) -> str:
    """The text of a recipe file; ReadError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ReadError(
            f"The recipe {path.name} cannot be read: {reason}.", hint="Check the path."
        ) from error


def parse_yaml(
    text: str, *, data: Path | None = None, name: str = "recipe", folder: Path | None = None
) -> Any:
    """A recipe's text as values, ${DATA} and ${RECIPE} replaced; UsageError where it is no YAML."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        # Not the text around it: paths stand there.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(
            f"{name} is not valid YAML{where}: {getattr(error, 'problem', None) or 'no text'}.",
            hint='Mind the indents; in { } put what holds braces in quotes: "${DATA}/images".',
        ) from error
    content = _replace(content, "${RECIPE}", str(folder or Path()), name)
    return _replace(content, "${DATA}", None if data is None else str(data), name)


def parse_recipe(
    text: str, *, data: Path | None = None, name: str = "recipe", folder: Path | None = None
) -> Recipe:
    """As `load_recipe`, from the text itself."""
    content = parse_yaml(text, data=data, name=name, folder=folder)
    try:
        recipe = msgspec.convert(content, Recipe)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{name} is not a valid recipe: {error}",
            hint="The fields are listed in leuko.training.recipe; recipes/ has an example.",
        ) from None
    _check(recipe, name)
    return recipe


def to_plain(recipe: Recipe) -> dict[str, Any]:
    """The recipe as dictionaries, lists and numbers, for checkpoints."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return plain


def _replace(value: Any, word: str, folder: str | None, name: str) -> Any:
    """`value` with `word` replaced by a folder in every string."""
    if isinstance(value, str):
        if word in value and folder is None:
            raise UsageError(
                f"{name} uses {word}, and no data folder was given.",
                hint="Pass --data FOLDER.",
            )
        return value.replace(word, folder or "")
    if isinstance(value, Mapping):
        return {key: _replace(item, word, folder, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, word, folder, name) for item in value]
    return value


def _check(recipe: Recipe, name: str) -> None:
    """Raise UsageError for what types alone cannot refuse."""
    multiple = 2 ** (recipe.network.levels - 1)
    problems = []
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", recipe.name):
        problems.append(f"name '{recipe.name}' must be usable as a folder's name")
    if any(size % multiple for size in recipe.data.crop):
        problems.append(f"data.crop {recipe.data.crop} must be multiples of {multiple}")
    if not recipe.data.labelmaps and recipe.data.real_share < 1.0:
        problems.append("data.labelmaps is empty though data.real_share is below 1")
    if not recipe.data.cases and recipe.data.real_share > 0.0:
        problems.append("data.cases is empty though data.real_share is above 0")
    if recipe.network.in_channels != recipe.data.channels:
        problems.append(
            f"network.in_channels {recipe.network.in_channels} must be {recipe.data.channels} "
            "(two a distance in data.neighbours_mm, the slice, and one with data.t1_share)"
        )
    if recipe.optimisation.precision not in PRECISIONS:
        problems.append(f"optimisation.precision must be one of {', '.join(PRECISIONS)}")
    if problems:
        raise UsageError(f"{name}: {'; '.join(problems)}.", hint="Correct the recipe.")
