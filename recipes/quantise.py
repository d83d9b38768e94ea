"""Try 8-bit integers: quantise a model after training and see what it changes.

    pip install nncf        (a tool of development; leuko never needs it)
    python recipes/quantise.py SCAN [SCAN ...] --labelmaps FOLDER --out FOLDER

Activations are calibrated with slices of the generator and of SCANs (FLAIRs that may be trained
on). Writes a graph with a .bin of its own and a card into FOLDER; `leuko segment --model FOLDER`
runs it, and `python benchmarks/precision.py --against FOLDER` compares its masks with those of full
precision.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from leuko.formats.read import read_scan
from leuko.image.image import to_canonical
from leuko.inference.openvino_engine import _core, _numbers, _openvino
from leuko.inference.slices import with_neighbours
from leuko.models.card import Card, card_to_json
from leuko.models.store import CARD, DEFAULT, load_card, model_folder, weights_path
from leuko.preparation.prepare import prepare
from leuko.synthesis.stream import StreamSettings, slices

SEED = 7
A_SCAN = 6  # slices
T1_SHARE = 0.5


def main(arguments: list[str]) -> None:
    """Quantise what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--labelmaps", type=Path, required=True)
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--synthetic", type=int, default=48, help="slices of the generator")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    folder = model_folder(options.model)
    card = load_card(folder)
    maps = sorted(options.labelmaps.glob("*.nii.gz"))
    images = [
        *itertools.islice(_synthetic(maps, card), options.synthetic),
        *itertools.chain.from_iterable(_real(path, card) for path in options.scans),
    ]
    graph = weights_path(card, folder=folder)
    _openvino()  # stops the telemetry that nncf shares with it
    import nncf

    quantised = nncf.quantize(
        _core().read_model(graph, _numbers(graph)),
        nncf.Dataset(images),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(images),
    )
    options.out.mkdir(parents=True, exist_ok=True)
    _openvino().save_model(quantised, options.out / card.graph)
    _write_card(options.out, card)
    sys.stdout.write(f"{len(images)} slices; {options.out / card.graph}\n")


def _synthetic(maps: list[Path], card: Card) -> Iterator[npt.NDArray[np.float32]]:
    """Every fourth slice of the generator: those of one head are alike."""
    settings = StreamSettings(
        pixel_mm=card.pixel_mm,
        t1_share=T1_SHARE if card.takes_t1 else None,
        neighbours_mm=tuple(card.neighbours_mm),
    )
    drawn = slices([str(path) for path in maps], seed=SEED, settings=settings)
    for sample in itertools.islice(drawn, 0, None, 4):
        yield sample.image[None].astype(np.float32)


def _real(path: Path, card: Card) -> Iterator[npt.NDArray[np.float32]]:
    image = read_scan(path)
    prepared = prepare(
        np.ascontiguousarray(to_canonical(image.data, image.grid)),
        spacing=image.grid.canonical().spacing,
        pixel_mm=card.pixel_mm,
        neighbours_mm=card.neighbours_mm,
    )
    count = len(prepared.slices)
    for index in np.linspace(0.1 * count, 0.9 * count, A_SCAN).astype(int):
        yield with_neighbours(
            prepared.slices,
            [int(index)],
            distances=prepared.neighbours,
            channels=card.channels,
        )


def _write_card(out: Path, card: Card) -> None:
    names = (card.graph, card.graph.removesuffix(".xml") + ".bin")
    made = msgspec.structs.replace(
        card,
        name=f"{card.name}-int8",
        checkpoint=None,
        files={name: sha256((out / name).read_bytes()).hexdigest() for name in names},
    )
    (out / CARD).write_bytes(card_to_json(made))


if __name__ == "__main__":
    main(sys.argv[1:])
