"""Looking at an image: an offline page with a viewer, or pictures of slices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from leuko.errors import UsageError
from leuko.findings import Finding, Severity
from leuko.formats.geometry import LABELS
from leuko.formats.read import read
from leuko.image.image import Image
from leuko.pipelines.outputs import require_free_file, write_whole
from leuko.pipelines.overlays import Overlay, overlay_of, overlay_path, placed
from leuko.report import viewer
from leuko.report.viewer_layers import Layer
from leuko.report.viewer_scene import Scene, scene
from leuko.report.viewer_windows import HOUNSFIELD, is_hounsfield

__all__ = [
    "Overlay",
    "Plane",
    "Still",
    "Viewed",
    "overlay_of",
    "picture",
    "view",
    "view_file",
    "view_scene",
]

Plane = Literal["axial", "coronal", "sagittal"]
PAGES = (".html", ".htm")
AXES: dict[str, int] = {"sagittal": 0, "coronal": 1, "axial": 2}
SLICE = re.compile(r"(?P<number>[-+]?\d+(\.\d+)?)\s*(?P<mm>mm)?")


@dataclass(frozen=True, slots=True)
class Still:
    """Which picture: three planes by default, one slice of `axis`, or `montage` slices.

    `at` is a file's index across that axis ('23'), or a place ('12.5mm', RAS); by default what
    the overlays cover most. `volume` counts from 0, `fill` paints areas instead of outlines.
    """

    axis: Plane | None = None
    at: str = ""
    montage: int = 0
    volume: int = 0
    fill: bool = False
    width: int = 0


@dataclass(frozen=True, slots=True)
class Viewed:
    """What `view_file` wrote, and what is to be said about it."""

    page: Path | None
    pictures: tuple[Path, ...]
    findings: tuple[Finding, ...]


def view(
    image: Image,
    *,
    overlays: Iterable[Overlay | Image] = (),
    window: str = "",
    neurological: bool = False,
    out: Path | str | None = None,
) -> str:
    """The page that shows an image with its overlays: one HTML file that needs no network.

    It is written to `out` where that is given. `window` is a preset (brain, bone ...),
    'centre,width' or 'p1,p99'. An overlay on another grid is shown resampled. Raises UsageError
    (exit 2), GridMismatch (exit 5) for an overlay that cannot be placed, WriteError (exit 6).
    """
    shown, _ = view_scene(image, overlays=overlays, window=window, neurological=neurological)
    text = viewer.page(shown)
    if out is not None:
        write_whole(Path(out), text.encode("utf-8"))
    return text


def picture(
    image: Image,
    *,
    overlays: Iterable[Overlay | Image] = (),
    window: str = "",
    neurological: bool = False,
    still: Still | None = None,
    out: Path | str | None = None,
) -> bytes:
    """A PNG of slices, or a GIF through them where `out` ends in .gif; no browser is needed.

    Raises what `view` raises.
    """
    shown, _ = view_scene(image, overlays=overlays, window=window, neurological=neurological)
    moving = out is not None and Path(out).suffix.lower() == ".gif"
    content = animated(shown, still or Still()) if moving else drawn(shown, still or Still())
    if out is not None:
        write_whole(Path(out), content)
    return content


def view_file(
    path: Path,
    *,
    overlays: Sequence[str] = (),
    labels: Path | None = None,
    series: str = "",
    page: Path | None = None,
    png: Path | None = None,
    gif: Path | None = None,
    still: Still | None = None,
    window: str = "",
    neurological: bool = False,
    force: bool = False,
) -> Viewed:
    """Read an image and its overlays ('FILE[:name[:colour]]') and write what is asked for.

    `labels` is a table of the names of the overlays' labels. Without `page`, `png` and `gif` the
    page is written into the working folder, over that of an earlier call. Raises what `read` and
    `view` raise; UsageError (exit 2) for a file whose name says another format, or that is an
    input; WriteError (exit 6) for one that is there already, unless `force` replaces it.
    """
    inputs = [path, *(overlay_path(text) for text in overlays), *([labels] if labels else [])]
    for target, suffixes in ((page, PAGES), (png, (".png",)), (gif, (".gif",))):
        if target is not None:
            _require_suffix(target, suffixes)
            require_free_file(target, inputs=inputs, force=force)
    if labels is not None and not overlays:
        raise UsageError(
            "There is no overlay whose labels the table could name.",
            hint="Give one with --overlay, or leave out --labels.",
        )
    image = read(path, series=series)
    laid = [overlay_of(text, labels=labels) for text in overlays]
    shown, said = view_scene(image, overlays=laid, window=window, neurological=neurological)
    wanted = still or Still()
    if page is None and png is None and gif is None:
        page = Path(f"{viewer.stem_of(path.name)}_view.html")
    if page is not None:
        write_whole(page, viewer.page(shown).encode("utf-8"))
    if png is not None:
        write_whole(png, drawn(shown, wanted))
    if gif is not None:
        write_whole(gif, animated(shown, wanted))
    pictures = tuple(one for one in (png, gif) if one is not None)
    over = [finding for one in laid for finding in one.image.findings if finding.code != LABELS]
    own = [*image.findings, *over]
    return Viewed(page, pictures, (*dict.fromkeys(own), *said))


def view_scene(
    image: Image,
    *,
    overlays: Iterable[Overlay | Image] = (),
    window: str = "",
    neurological: bool = False,
) -> tuple[Scene, tuple[Finding, ...]]:
    """What pages and pictures are made from, and what is to be said about it."""
    layers: list[Layer] = []
    findings: list[Finding] = []
    for given in overlays:
        one = given if isinstance(given, Overlay) else Overlay(given)
        colours = sum(len(before.labels) for before in layers)  # that are taken
        added, said = placed(one, image, order=colours)
        layers.append(added)
        findings.extend(said)
    shown = scene(image, layers=layers, window=window, neurological=neurological)
    if window.strip().lower() in HOUNSFIELD and not is_hounsfield(image.data):
        findings.append(
            Finding(
                "view.no_hounsfield",
                Severity.WARNING,
                f"The window '{window.strip()}' is in HU, and these values are not those of a CT.",
                "Leave out --window, or give percentiles as p1,p99.",
            )
        )
    return shown, tuple(findings)


def drawn(shown: Scene, still: Still) -> bytes:
    """The PNG that `still` asks for."""
    from leuko.report.montage import montage
    from leuko.report.slices_png import Style, one_slice, png, three_planes

    _require_volume(shown, still.volume)
    axis = _axis(shown, still)
    if still.montage:
        style = Style(fill=still.fill, width=still.width or 1600)
        sheet = montage(shown, count=still.montage, axis=axis, volume=still.volume, style=style)
    elif axis is None and not still.at and shown.flat_axis is None:
        style = Style(fill=still.fill, width=still.width or 1400)
        sheet = three_planes(shown, volume=still.volume, style=style)
    else:
        along = shown.slice_axis if axis is None else axis
        style = Style(fill=still.fill, width=still.width or 1000)
        index = _index(shown, along, still.at)
        sheet = one_slice(shown, axis=along, index=index, volume=still.volume, style=style)
    return png(sheet)


def animated(shown: Scene, still: Still) -> bytes:
    """The GIF that `still` asks for: through slices, or through volumes."""
    from leuko.report.animation import gif
    from leuko.report.slices_png import Style

    style = Style(fill=still.fill, width=still.width or 512)
    return gif(shown, axis=_axis(shown, still), style=style)


# ---------------------------------------------------------------- what a picture shows


def _axis(shown: Scene, still: Still) -> int | None:
    if still.axis is None:
        return shown.flat_axis
    axis = AXES[still.axis]
    if shown.flat_axis is not None and axis != shown.flat_axis:
        raise UsageError(
            f"The image is a single slice, and not {still.axis}.", hint="Leave out --axis."
        )
    return axis


def _index(shown: Scene, axis: int, at: str) -> int:
    """The shown index across `axis` that a file's index or a place in mm means."""
    if not at:
        return shown.start[axis]
    match = SLICE.fullmatch(at.strip().lower())
    if match is None or (not match["mm"] and "." in match["number"]):
        raise UsageError(f"'{at}' is no slice.", hint="Give an index (23), or a place (12.5mm).")
    length = shown.shape[axis]
    if match["mm"]:
        middle = np.array([(n - 1) / 2 for n in shown.shape])
        middle[axis] = 0
        affine = shown.affine()
        first = float((affine[:3, :3] @ middle + affine[:3, 3])[axis])
        index = round((float(match["number"]) - first) / float(affine[axis, axis]))
        last = first + float(affine[axis, axis]) * (length - 1)
        reach = f"{first:.1f}mm to {last:.1f}mm"
    else:
        own = int(match["number"])
        index = length - 1 - own if shown.turn.flipped[axis] else own
        reach = f"0 to {length - 1}"
    if not 0 <= index < length:
        raise UsageError(f"Slice {at} is outside the image.", hint=f"It reaches from {reach}.")
    return index


def _require_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix.lower() not in suffixes:
        raise UsageError(
            f"{path.name} would hold another format than its name says.",
            hint=f"End the name in {' or '.join(suffixes)}.",
        )


def _require_volume(shown: Scene, volume: int) -> None:
    if not 0 <= volume < shown.volumes:
        raise UsageError(
            f"There is no volume {volume}.", hint=f"The image has {shown.volumes}, from 0."
        )
