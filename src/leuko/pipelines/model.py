"""The network that a run uses: loaded once, for one scan or for a thousand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import msgspec

from leuko.errors import UsageError
from leuko.inference.engines import Engine, load_engine
from leuko.models.card import Card
from leuko.models.store import load_card, model_folder
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.provenance import Provenance, Value, program_version
from leuko.pipelines.with_template import asked_of_template

__all__ = [
    "Model",
    "Settings",
    "checked",
    "load_model",
    "model_provenance",
    "parameters",
    "settings",
]


@dataclass(frozen=True, slots=True)
class Model:
    """A card and the engine that runs its weights; `engine` waits until it is ready."""

    card: Card
    _engine: Callable[[], Engine]

    @property
    def engine(self) -> Engine:
        """The engine. Raises what went wrong while it was loaded."""
        return self._engine()

    @classmethod
    def of(cls, card: Card, engine: Engine) -> Model:
        """A model whose engine is ready."""
        return cls(card, lambda: engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The operating point of a run: what the config says, the card where it says nothing."""

    definition: str
    temperature: float
    threshold: float
    refine: bool
    refine_support: float
    refine_evidence: float
    refine_level: float
    refine_summit: float
    refine_deviations: float
    refine_reach_mm: float
    confine: bool
    confine_margin_mm: float
    min_lesion_mm3: float
    min_lesion_peak: float
    fill_holes_mm3: float


def load_model(
    config: SegmentConfig, *, weights: Path | str | None = None, threads: int | None = None
) -> Model:
    """The model for a config; its engine loads in the background, beside the reading of a scan.

    `weights` is the name of a packaged model ('default', 'accurate') or a folder of the same
    layout; `threads`: at most so many processors (default: all of this process). Raises ReadError
    (exit 3) where the weights are missing or changed, UsageError (exit 2) for a model, engine or
    precision that does not exist here, MissingExtra (exit 9).
    """
    folder = None if weights is None else model_folder(weights)
    card = load_card(folder)
    loading: Future[Engine] = Future()

    def load() -> None:
        try:
            loading.set_result(
                load_engine(
                    config.engine,
                    card,
                    folder=folder,
                    precision=config.precision,
                    threads=threads,
                )
            )
        except BaseException as error:  # it is raised where the engine is asked for
            loading.set_exception(error)

    # No daemon: a native library must not be caught half loaded by the end of the process.
    Thread(target=load, name="load engine").start()
    return Model(card, loading.result)


def checked(config: SegmentConfig) -> SegmentConfig:
    """The config with its values checked; UsageError (exit 2) says which one is impossible."""
    try:
        return msgspec.convert(msgspec.structs.asdict(config), SegmentConfig)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"A parameter has an impossible value: {error}.",
            hint="leuko segment --help lists the parameters and their ranges.",
        ) from error


def settings(config: SegmentConfig, card: Card) -> Settings:
    """Every parameter of the mask with the value that is used."""
    point = card.operating_point(config.definition)

    def chosen(given: float | None, on_card: float) -> float:
        return float(on_card if given is None else given)

    return Settings(
        definition=config.definition,
        temperature=point.temperature,
        threshold=chosen(config.threshold, point.threshold),
        refine=config.refine,
        refine_support=chosen(config.refine_support, point.refine_support),
        refine_evidence=chosen(config.refine_evidence, point.refine_evidence),
        refine_level=chosen(config.refine_level, point.refine_level),
        refine_summit=chosen(config.refine_summit, point.refine_summit),
        refine_deviations=chosen(config.refine_deviations, point.refine_deviations),
        refine_reach_mm=chosen(config.refine_reach_mm, point.refine_reach_mm),
        confine=config.confine,
        confine_margin_mm=chosen(config.confine_margin_mm, point.confine_margin_mm),
        min_lesion_mm3=chosen(config.min_lesion_mm3, point.min_lesion_mm3),
        min_lesion_peak=chosen(config.min_lesion_peak, point.min_lesion_peak),
        fill_holes_mm3=config.fill_holes_mm3,
    )


def parameters(config: SegmentConfig, card: Card) -> dict[str, Value]:
    """All of a config for the record, with the card's values where it leaves them open.

    `temperature` is the card's alone.
    """
    used = settings(config, card)
    given = {"temperature": used.temperature, **msgspec.structs.asdict(config)}
    del given["atlas_labels"]
    given |= asked_of_template(config)
    given["norms"] = config.norms and Path(config.norms).name
    return {name: getattr(used, name, value) for name, value in given.items()}


def model_provenance(
    model: Model,
    *,
    input_name: str,
    input_sha256: str | None,
    time: str,
    parameters: dict[str, Value],
    mask_name: str | None = None,
    mask_sha256: str | None = None,
    source: dict[str, Value] | None = None,
    patient: dict[str, str] | None = None,
) -> Provenance:
    """The provenance of a run with `model`; waits for its engine."""
    return Provenance(
        version=program_version(),
        weights_name=model.card.name,
        weights_version=model.card.version,
        weights_sha256=model.card.sha256,
        engine=model.engine.name,
        precision=model.engine.precision,
        input_name=input_name,
        input_sha256=input_sha256,
        mask_name=mask_name,
        mask_sha256=mask_sha256,
        source=source,
        patient=patient,
        time=time,
        parameters=parameters,
    )
