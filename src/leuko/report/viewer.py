"""The viewer: a scene as one HTML page that needs nothing else, or as a part of another page.

NiiVue (assets/niivue.md) draws; the page around it is ours. Volumes travel as compressed NIfTI in
shown axes (right, front, up) on a plain grid, so that the drawing library never decides how a scan
lies in the body; the page computes world positions from the scan's own affine, and writes a drawn
mask in the axes and with the header of the scan's file.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from leuko.formats.nifti_out import encode
from leuko.report.viewer_layers import COLOURS, HEAT, Layer
from leuko.report.viewer_scene import Scene
from leuko.report.viewer_volumes import Reduction, packed, reduction, text_of
from leuko.report.wording import Wording, english

__all__ = ["POLICY", "embed", "make_ready", "page", "stem_of"]

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""The content security policy of a page with a viewer: nothing is loaded, nothing is sent."""


SCRIPTS = (
    "viewer_load",
    "viewer_stage",
    "viewer_outlines",
    "viewer_components",
    "viewer_panels",
    "viewer_draw",
    "viewer_keys",
)
BINS = 120
STEMS = (".gz", ".nii", ".nrrd", ".nhdr", ".mgz", ".mgh", ".mnc", ".img", ".hdr", ".dcm", ".zip",
         ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".jp2")  # fmt: skip


def page(shown: Scene, *, title: str = "") -> str:
    """The whole page; a content security policy forbids it every connection."""
    viewer = embed(shown, whole=True)
    return _render("viewer_page.html", title=title or shown.name, viewer=viewer, policy=POLICY)


def embed(
    shown: Scene,
    *,
    whole: bool = False,
    fitted: Reduction | None = None,
    places: Mapping[int, tuple[int, int, int]] | None = None,
    words: Wording | None = None,
) -> Markup:
    """The viewer as trusted markup for a page: its element, style, script and volumes.

    It fills its parent's width and takes the height that CSS gives `.lv` (720 px). Unless it is the
    `whole` page, it starts when it comes into sight, and takes keys and wheel only once somebody
    has clicked into it. Put it into a page once; `POLICY` is what that page may allow.

    With `places` (lesion -> voxel in shown axes) it waits for a click, on its button or on an
    element of the page with the lesion as its `data-lesion`, and goes there. `words` are those of
    the page around it.
    """
    fitted = fitted or reduction(shown.shape, shown.spacing, volumes=shown.volumes)
    say = (words or english()).translated
    return Markup(
        _render(
            "viewer.html",
            name=shown.name,
            whole=whole,
            waits=places is not None,
            say=say,
            style=Markup(_asset("viewer.css")),
            script=Markup("(() => {\n'use strict';\n" + _scripts() + "})();"),
            niivue=Markup(_niivue()),
            facts=Markup(_json({**_facts(shown, fitted), **_page(places, fitted, words)})),
            volumes=[Markup(text) for text in _volumes(shown, fitted)],
        )
    )


def make_ready() -> None:
    """Load what a viewer takes along whatever it shows: its templates and scripts."""
    _environment().get_template("viewer.html")
    _niivue()
    _scripts()


def _volumes(shown: Scene, fitted: Reduction) -> Iterator[str]:
    """The image and its layers as base64 text."""
    spacing = _spacing(shown, fitted)
    yield packed(fitted.averaged(shown.data), spacing, scale=shown.scale)
    for layer in shown.layers:
        reduced = fitted.averaged if layer.is_map else fitted.picked
        yield packed(reduced(layer.values), spacing)


def _facts(shown: Scene, fitted: Reduction) -> dict[str, Any]:
    """What the page knows of the scene besides voxels."""
    known = shown.grid.oriented
    return {
        "name": shown.name,
        "stem": stem_of(shown.name),
        "shape": [n // f for n, f in zip(shown.shape, fitted.factors, strict=True)],
        "fileShape": list(shown.grid.shape),
        "fileSpacing": list(shown.grid.spacing),
        "spacing": _spacing(shown, fitted),
        "factors": list(fitted.factors),
        "axes": list(shown.turn.axes),
        "flipped": list(shown.turn.flipped),
        "affine": shown.affine().tolist(),
        "orientation": shown.grid.orientation.code if known else "",
        "oriented": known,
        "sized": shown.grid.sized,
        "degrees": round(shown.degrees, 1),
        "flatAxis": shown.flat_axis,
        "sliceAxis": shown.slice_axis,
        "volumes": shown.volumes,
        "seconds": shown.seconds,
        "hounsfield": shown.hounsfield,
        "neurological": shown.neurological,
        "start": [v // f for v, f in zip(shown.start, fitted.factors, strict=True)],
        "window": [shown.window.low, shown.window.high],
        "presets": [
            {"key": p.key, "label": p.label, "low": p.window.low, "high": p.window.high}
            for p in shown.presets
        ],
        "histogram": _histogram(shown),
        "layers": [_layer(layer) for layer in shown.layers],
        "colours": list(COLOURS),
        "heat": [[share, colour] for share, colour in HEAT],
        "maskHeader": _mask_header(shown) if fitted.whole else "",
        "voxelMm3": shown.grid.voxel_mm3,
    }


def _page(
    places: Mapping[int, tuple[int, int, int]] | None, fitted: Reduction, words: Wording | None
) -> dict[str, Any]:
    """What the page around the viewer gives it: where its lesions lie, and its language."""
    found = {
        str(label): [at // by for at, by in zip(place, fitted.factors, strict=True)]
        for label, place in (places or {}).items()
    }
    return {"places": found, "words": dict(words.viewer) if words else {}}


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "stem": stem_of(layer.name),
        "isMap": layer.is_map,
        "limits": list(layer.limits),
        "editable": layer.editable,
        "labels": [
            {"value": item.value, "name": item.name, "colour": item.colour, "voxels": item.voxels}
            for item in layer.labels
        ],
    }


def _mask_header(shown: Scene) -> str:
    """Header of a mask of bytes on the scan's grid: its file's geometry, where that is NIfTI."""
    nothing = np.broadcast_to(np.uint8(0), shown.grid.shape)
    header, _ = encode(nothing, grid=shown.grid, header=shown.header, labels=True)
    return base64.b64encode(header).decode("ascii")


def _histogram(shown: Scene) -> dict[str, Any]:
    """How often values occur, over nearly their whole range; square roots, for the eye."""
    values = np.asarray(shown.data[::3, ::3, ::2], np.float32).ravel()
    values = values * np.float32(shown.scale[0]) + np.float32(shown.scale[1])
    low, high = (float(v) for v in np.percentile(values, (0.05, 99.95))) if values.size else (0, 0)
    low = min(low, shown.window.low)
    high = max(high, shown.window.high, low + 1e-6)
    counts, _ = np.histogram(values, BINS, (low, high))
    heights = np.sqrt(counts / max(1, np.sort(counts)[-3]))
    return {"low": low, "high": high, "bins": np.minimum(heights, 1).round(3).tolist()}


def _spacing(shown: Scene, fitted: Reduction) -> tuple[float, float, float]:
    own, by = shown.spacing, fitted.factors
    return (own[0] * by[0], own[1] * by[1], own[2] * by[2])


def stem_of(name: str) -> str:
    """A file's name without the endings of image formats."""
    stem = name
    while stem.lower().endswith(STEMS) and "." in stem[1:]:
        stem = stem[: stem.rindex(".")]
    return stem or "image"


def _json(facts: dict[str, Any]) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(lambda name: _read("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _niivue() -> str:
    """NiiVue's script, compressed, as base64 text."""
    return text_of(_asset("niivue.js").encode("utf-8"))


@cache
def _scripts() -> str:
    return "".join(_asset(f"{name}.js") for name in SCRIPTS)


def _asset(name: str) -> str:
    return _read("assets", name)


def _read(folder: str, name: str) -> str:
    return resources.files("leuko.report").joinpath(folder, name).read_text(encoding="utf-8")
