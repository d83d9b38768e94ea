"""Masks of a network: predicted once a scan and kept, made into masks as often as wanted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

import leuko
from leuko.formats.read import read_scan
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.inference.predict import Prediction
from leuko.models.card import Card, Definition, OperatingPoint, Views
from leuko.models.classes import Tissue
from leuko.models.store import load_card, packaged_folder
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.mask import make_mask
from leuko.pipelines.model import Model, load_model, parameters, settings
from leuko.pipelines.observe import observe
from leuko.postprocess.threshold import definition_probability
from leuko.progress import Journal
from scan_sets import Case, ScanSet
from training_runs import Stage, case_key, recipe_of, stages, trained_on, weights_in

__all__ = ["NetworkMasks"]

# What decides a prediction, besides the weights and the scan: a change makes kept ones stale.
ROOMS = (
    "preparation",
    "inference",
    "anatomy/cleaning.py",
    "anatomy/envelope.py",
    "pipelines/observe.py",
)
T1_ROOMS = ("registration", "pipelines/t1_beside.py", "quality/t1.py")  # and of one with a T1
BESIDE = ("recipe.json", "metrics.csv")  # what tells of a run
NEIGHBOUR_MM = 3.0
PIXEL_MM = 0.8


@dataclass(slots=True)
class NetworkMasks:
    """A network under test; `weights` is a folder with a card."""

    name: str
    weights: Path
    card: Card
    config: SegmentConfig
    store: Path
    trained_on: frozenset[str] = frozenset()  # GROUP/CASE of the run's real scans, where known
    history: tuple[Stage, ...] = ()  # of the training, where known
    t1: bool = False  # whether the network is shown the T1 beside a FLAIR
    _model: list[Model] = field(default_factory=list)
    _last: dict[Path, tuple[Image, Any, Prediction]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        weights: Path | None,
        *,
        name: str,
        store: Path,
        changes: Mapping[str, str],
        views: Views | None = None,
        t1: bool = False,
    ) -> NetworkMasks:
        """The network in `weights` with `changes` to the default parameters.

        `weights`: None for the packaged ones, a folder that leuko export wrote (or its graph), or
        a checkpoint of a run, which is exported first. `store` keeps what it predicts. `views`
        takes the place of the card's. With `t1` a network that takes one is shown the T1 that
        lies beside a FLAIR (t1*.nii.gz).
        """
        seen: frozenset[str] = frozenset()
        history: tuple[Stage, ...] = ()
        weights = None if weights is None else weights_in(weights)
        if weights is None:
            folder = packaged_folder()
        elif weights.suffix in (".pt", ".ckpt"):
            with _still(weights) as checkpoint:
                folder = _export(checkpoint, store=store)
                seen, history = frozenset(trained_on(checkpoint)), tuple(stages(checkpoint))
        else:
            folder = weights if weights.is_dir() else weights.parent
        card = load_card(folder)
        if weights is not None and weights.suffix in (".pt", ".ckpt"):  # kept from an earlier time
            points = msgspec.convert(_points(), dict[Definition, OperatingPoint])
            card = msgspec.structs.replace(card, operating_points=points)
        if views is not None:
            card = msgspec.structs.replace(card, views=views)
        fresh = f"{card.sha256[:12]}-{_fingerprint()}"
        kept = store / f"{fresh}{_views_text(card.views)}"
        for stale in store.glob(f"{card.sha256[:12]}-*"):
            if not stale.name.startswith(fresh):
                shutil.rmtree(stale)
        return cls(
            name=name or _run_name(weights, card) + ("-t1" if t1 and card.takes_t1 else ""),
            weights=folder,
            card=card,
            config=_changed(SegmentConfig(policy="lenient"), changes),
            store=kept,
            trained_on=seen,
            history=history,
            t1=t1 and card.takes_t1,
        )

    def mask(self, entry: ScanSet, case: Case, changes: Mapping[str, str]) -> Image:
        """The mask of a case under the set's definition, on the FLAIR's grid."""
        image, data, prediction = self._seen(case)
        if entry.definition == "ventricles":
            found = prediction.anatomy == Tissue.VENTRICLES
        else:
            config = _changed(self.config, {"definition": entry.definition, **changes})
            made = make_mask(
                prediction,
                data=data,
                spacing=image.grid.canonical().spacing,
                settings=settings(config, self.card),
                journal=Journal(),
            )
            found = made.mask
        mask = np.ascontiguousarray(from_canonical(found.astype(np.uint8), image.grid))
        return Image(mask, image.grid)

    def probability(self, entry: ScanSet, case: Case) -> Image:
        """The probability of the set's definition, float32 on the FLAIR's grid."""
        image, _, prediction = self._seen(case)
        found = definition_probability(
            prediction.lesion, prediction.cap_rim, definition=entry.definition
        )
        return Image(np.ascontiguousarray(from_canonical(found, image.grid)), image.grid)

    def setting(self, definition: str, name: str) -> float:
        """A number of the operating point under a definition."""
        config = _changed(self.config, {"definition": definition})
        return float(getattr(settings(config, self.card), name))

    def seen(self, entry: ScanSet, cases: Sequence[Case]) -> list[str]:
        """The cases of a set that the run's own recipe trains on."""
        del entry
        return [case.name for case in cases if case_key(case.flair) in self.trained_on]

    def about(self) -> dict[str, object]:
        """The weights, and every parameter under both definitions."""
        return {
            "weights": self.card.name,
            "version": self.card.version,
            "sha256": self.card.sha256,
            "training": self.card.training,
            "views": msgspec.to_builtins(self.card.views),
            "t1": self.t1,
            "trained_on": sorted(self.trained_on),
            "stages": [asdict(stage) for stage in self.history],
            "parameters": {
                definition: parameters(_changed(self.config, {"definition": definition}), self.card)
                for definition in ("vascular", "ms")
            },
        }

    def _seen(self, case: Case) -> tuple[Image, Any, Prediction]:
        """The scan, its canonical voxels and what the network saw, predicted or kept."""
        if case.flair in self._last:
            return self._last[case.flair]
        image = read_scan(case.flair)
        digest = _sha(image)
        t1 = self._t1(case)
        beside = "" if t1 is None else f"-t1-{_sha(t1)[:12]}-{_fingerprint(T1_ROOMS)}"
        path = self.store / f"{case.folder.parent.name}-{case.name}-{digest[:12]}{beside}.npz"
        if path.is_file():
            with np.load(path) as kept:
                prediction = Prediction(kept["lesion"], kept["cap_rim"], kept["anatomy"])
            data = np.ascontiguousarray(to_canonical(image.data, image.grid))
        else:
            seen = observe(
                image, config=self.config, model=self._loaded(), journal=Journal(), t1=t1
            )
            data, prediction = seen.data, seen.prediction
            self.store.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part.npz")
            np.savez(
                part,
                lesion=prediction.lesion,
                cap_rim=prediction.cap_rim,
                anatomy=prediction.anatomy,
            )
            part.replace(path)
        self._last.clear()  # one scan at a time: a grid asks for it many times in a row
        self._last[case.flair] = (image, data, prediction)
        return self._last[case.flair]

    def _t1(self, case: Case) -> Image | None:
        found = sorted(case.folder.glob("t1*.nii.gz")) if self.t1 else []
        return read_scan(found[0]) if found else None

    def _loaded(self) -> Model:
        if not self._model:
            loaded = load_model(self.config, weights=self.weights)
            self._model.append(replace(loaded, card=self.card))
        return self._model[0]


def _changed(config: SegmentConfig, changes: Mapping[str, str]) -> SegmentConfig:
    """The config with values given as text, checked and converted to their types."""
    values = {**msgspec.structs.asdict(config), **changes}
    return msgspec.convert(values, SegmentConfig, strict=False)


@contextmanager
def _still(checkpoint: Path) -> Iterator[Path]:
    """A copy of a checkpoint with the recipe beside it: a run that goes on replaces its own."""
    with TemporaryDirectory() as place:
        folder = Path(place) / checkpoint.absolute().parent.name
        folder.mkdir()
        for path in (checkpoint, *(checkpoint.with_name(name) for name in BESIDE)):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
        yield folder / checkpoint.name


def _points() -> dict[str, Any]:
    """The operating points of the packaged weights, for a checkpoint without a card of its own.

    ReadError where there are none: scores at another operating point would be of something else.
    """
    return dict(msgspec.to_builtins(load_card().operating_points))


def _export(checkpoint: Path, *, store: Path) -> Path:
    """The checkpoint of a run as a folder with a card, in the store under its checksum."""
    from leuko.training.export import export

    digest = sha256(checkpoint.read_bytes()).hexdigest()
    folder = store / "exported" / digest[:12]
    if (folder / "card.json").is_file():
        return folder
    recipe = recipe_of(checkpoint)
    export(
        checkpoint,
        out=folder,
        card={
            "name": checkpoint.parent.name or "checkpoint",
            "version": "0",
            "pixel_mm": recipe.get("data", {}).get("pixel_mm", PIXEL_MM),
            "neighbours_mm": recipe.get("data", {}).get("neighbours_mm", [NEIGHBOUR_MM]),
            "operating_points": _points(),
            "training": f"a run of leuko train, {checkpoint.name}",
        },
    )
    return folder


def _run_name(weights: Path | None, card: Card) -> str:
    return card.name if weights is None else f"{card.name}-{card.sha256[:6]}"


def _views_text(views: Views) -> str:
    """'-flips-planes' for both, '' for neither."""
    return "".join(f"-{name}" for name, on in msgspec.to_builtins(views).items() if on)


def _sha(image: Image) -> str:
    return image.source.sha256 if image.source else sha256(image.data.tobytes()).hexdigest()


def _fingerprint(rooms: Sequence[str] = ROOMS) -> str:
    """A checksum of the source that decides predictions."""
    home = Path(leuko.__file__).parent
    digest = sha256()
    for room in rooms:
        path = home / room
        for source in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(source.read_bytes())
    return digest.hexdigest()[:8]
