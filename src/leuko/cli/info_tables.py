"""What `leuko info` prints: tables for a terminal, with a histogram of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from leuko.cli.console import print_findings

if TYPE_CHECKING:
    from leuko.formats.nifti_described import NiftiDescription
    from leuko.pipelines.information_content import Field, Geometry, Info, Series, Value
    from leuko.pipelines.information_values import Values

__all__ = ["bars", "show"]

BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN = " .:-=+*#@"  # where the terminal knows no blocks
HEIGHT = 4
INDENT = 28  # columns before the values
TOWARDS = {
    "R": "right", "L": "left", "A": "front", "P": "back", "S": "top", "I": "bottom",
}  # fmt: skip
UNITS = {
    "RepetitionTime": "ms", "EchoTime": "ms", "EffectiveEchoTime": "ms", "InversionTime": "ms",
    "FlipAngle": "°", "MagneticFieldStrength": "T", "SliceThickness": "mm",
    "SpacingBetweenSlices": "mm", "PixelSpacing": "mm", "PixelBandwidth": "Hz",
    "ImagingFrequency": "MHz", "DiffusionBValue": "s/mm²", "KVP": "kV", "XRayTubeCurrent": "mA",
    "PatientWeight": "kg", "PatientSize": "m", "TemporalResolution": "ms",
    "PercentSampling": "%", "PercentPhaseFieldOfView": "%", "GantryDetectorTilt": "°",
}  # fmt: skip
SIGNS = {0: "unsigned", 1: "signed"}
Row = tuple[str, str | Text]


def show(found: Info) -> None:
    """Print everything; findings go to stderr, as of every command."""
    console = Console(highlight=False)
    console.print(f"\n[bold]{escape(found.name)}[/]  [dim]{escape(found.format)}[/]")
    if found.geometry:
        _section(console, "Geometry", _geometry(found.geometry))
    if found.values:
        _section(console, "Values", _values(found, found.values, console))
    if found.nifti:
        _section(console, "NIfTI header", _nifti(found.nifti))
    if len(found.series) > 1 or (found.series and not found.geometry):
        _series(console, found.series)
    for group, attributes in (found.dicom or {}).items():
        if attributes:
            _section(console, group.capitalize(), _attributes(attributes), width=38)
    if found.left_out:
        _section(
            console,
            "Files that are no image",
            [(str(count), reason) for reason, count in found.left_out.items()],
        )
    if found.tags:
        _tags(console, found.tags)
    console.print()
    print_findings(found.findings)


def bars(counts: Sequence[int], *, height: int = HEIGHT, blocks: str = BLOCKS) -> list[str]:
    """A histogram as lines of text, the top one first; heights are square roots of the counts.

    The root keeps tissue visible beside the background, which fills most of a volume; a bar
    that is more than twice as high as the next is cut off there.
    """
    highest = sorted(counts)[-2:]
    top = min(highest[-1], 4 * highest[0] or highest[-1]) or 1
    steps = len(blocks) - 1
    levels = [
        0 if not n else max(1, round(min(n / top, 1.0) ** 0.5 * height * steps)) for n in counts
    ]
    return [
        "".join(blocks[min(max(level - row * steps, 0), steps)] for level in levels)
        for row in reversed(range(height))
    ]


# ---------------------------------------------------------------- sections


def _section(
    console: Console, title: str, rows: Sequence[Row] | Iterator[Row], *, width: int = 24
) -> None:
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True, min_width=width)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(f"  {escape(label)}", escape(value) if isinstance(value, str) else value)
    console.print(f"\n[bold cyan]{title}[/]")
    console.print(grid)


def _geometry(g: Geometry) -> Iterator[Row]:
    unit = "mm" if g.sized else "pixels"
    yield "Shape", " × ".join(map(str, g.shape))
    if g.volumes > 1:
        step = g.seconds_between_volumes
        every = f", one every {step:g} s" if step else ""
        yield "Volumes", f"{g.volumes}{every}"
    yield (
        "Voxel",
        f"{_times(g.spacing_mm)} {unit}"
        + (f"  ({g.voxel_mm3:.4g} mm³)" if g.sized else "  (its size in mm is not known)"),
    )
    yield "Extent", f"{_times(g.extent_mm)} {unit}"
    if g.oriented:
        ways = ", ".join(TOWARDS[letter] for letter in g.orientation)
        yield "Orientation", f"{g.orientation}  (the axes run to the {ways})"
        if g.oblique_degrees > 0.05:
            yield "Oblique by", f"{g.oblique_degrees:g}°"
    else:
        yield "Orientation", "not known: left and right cannot be told"
    yield "Coordinates", g.coordinate_system
    yield "Affine", _matrix(g.affine)
    yield "Centre", f"{', '.join(f'{_near(c):.4g}' for c in g.centre_mm)} {unit}"
    yield "Regular grid", _regular(g)


def _regular(g: Geometry) -> str:
    said = "yes" if g.regular else "no"
    reasons = []
    if g.shear_degrees > 0.1:
        reasons.append(f"the axes are sheared by {g.shear_degrees:.3g}°")
    if g.slice_error_mm is not None:
        reasons.append(f"slices are evenly spaced to {max(g.slice_error_mm, 1e-4):.2g} mm")
    return said + (f"; {'; '.join(reasons)}" if reasons else "")


def _values(found: Info, v: Values, console: Console) -> Iterator[Row]:
    yield "Stored as", _stored(found)
    yield "Range", f"{_number(v.minimum)} … {_number(v.maximum)}"
    yield "Mean ± SD", f"{_number(v.mean)} ± {_number(v.standard_deviation)}"
    yield "Zero", f"{100 * v.zero_share:.1f} % of the voxels"
    if v.labels and len(v.labels) > 1:
        yield "Labels", ", ".join(map(str, v.labels))
    shown = {name: v.percentiles[name] for name in ("p1", "p25", "p50", "p75", "p99")}
    listed = (f"{name.removeprefix('p')} %: {_number(cut)}" for name, cut in shown.items())
    yield "Percentiles", "   ".join(listed)
    unicode = (console.encoding or "").lower().startswith("utf")
    pairs = zip(v.histogram[::2], v.histogram[1::2], strict=True)
    narrow = console.width < len(v.histogram) + INDENT
    counts = [sum(pair) for pair in pairs] if narrow else v.histogram
    lines = bars(counts, blocks=BLOCKS if unicode else PLAIN)
    low, high = _number(v.minimum), _number(v.maximum)
    axis = low + high.rjust(len(lines[0]) - len(low))
    chart = Text("\n".join(lines), style="cyan", no_wrap=True)
    chart.append(f"\n{axis}", style="dim")
    yield "Histogram", chart


def _stored(found: Info) -> str:
    if found.nifti:
        n = found.nifti
        scaled = n.slope != 1 or n.intercept != 0
        slope = f", value = {n.slope:g} · stored + {n.intercept:g}" if scaled else ", no scaling"
        return n.stored_type + slope
    photometric = (found.dicom or {}).get("photometric", {})
    if "BitsStored" in photometric:
        sign = SIGNS.get(int(str(photometric.get("PixelRepresentation", 0))), "")
        bits, allocated = photometric["BitsStored"], photometric.get("BitsAllocated")
        rescale, inter = (photometric.get(f"Rescale{part}") for part in ("Slope", "Intercept"))
        how = ", no scaling" if rescale is None else f", value = {rescale} · stored + {inter}"
        return f"{bits} of {allocated} bits, {sign}{how}"
    return f"read as {found.values.kind if found.values else 'nothing'}"


def _nifti(n: NiftiDescription) -> Iterator[Row]:
    yield "Version", f"{n.version}, {n.byte_order}, {'one file' if n.single_file else 'a pair'}"
    yield "Intent", f"{n.intent} ({n.intent_code})"
    yield "Units", f"space {n.space_unit}, time {n.time_unit}"
    yield "sform", f"{n.sform_code}: {n.sform}"
    yield "qform", f"{n.qform_code}: {n.qform}"
    if n.slice_order != "not stated":
        yield "Slice order", n.slice_order
    if n.slice_seconds:
        yield "Slice duration", f"{n.slice_seconds:g} s"
    if n.slice_times:
        shown = ", ".join(f"{time:g}" for time in n.slice_times[:8])
        yield "Slice times", f"{shown}{', …' if len(n.slice_times) > 8 else ''} s"
    axes = (n.frequency_axis, n.phase_axis, n.slice_axis)
    if any(axis != "none" for axis in axes):
        yield "Encoding axes", f"frequency {axes[0]}, phase {axes[1]}, slice {axes[2]}"
    if n.display_range:
        yield "Display range", f"{n.display_range[0]:g} … {n.display_range[1]:g}"
    if n.extension_bytes:
        yield "Extensions", f"{n.extension_bytes} bytes"


def _series(console: Console, series: Sequence[Series]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    longest = max(len(item.key) for item in series) + 2
    table.add_column("  key", min_width=longest, no_wrap=True)
    for heading in ("description", "what", "shape", "voxel (mm)", "files", ""):
        table.add_column(heading, justify="right" if heading == "files" else "left")
    for item in series:
        table.add_row(
            f"  {escape(item.key)}",
            escape(item.description),
            escape(f"{item.modality} {item.kind}"),
            " × ".join(map(str, item.shape)),
            _times(item.spacing_mm) if item.spacing_mm else "",
            str(item.files),
            Text(item.unusable, style="yellow"),
        )
    console.print("\n[bold cyan]Series[/]  [dim]one alone: --series KEY[/]")
    console.print(table)


def _attributes(attributes: Mapping[str, Value]) -> Iterator[Row]:
    from leuko.dicom.attributes_shown import label_of

    for keyword, value in attributes.items():
        if keyword == "PictureMayIdentify":
            continue  # among the findings
        several = [value] if isinstance(value, (str, int, float)) else list(value)
        if keyword == "PixelRepresentation":
            text = f"{value} ({SIGNS.get(int(str(value)), '?')})"
        elif keyword == "LossyImageCompression":
            text = {"00": "never", "01": "yes"}.get(str(value), str(value))
        else:
            text = ", ".join(_attribute(keyword, part) for part in several)
        unit = UNITS.get(keyword, "")
        yield label_of(keyword), f"{text}{'' if unit == '°' else ' '}{unit}".rstrip()


def _attribute(keyword: str, value: str | int | float) -> str:
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if keyword.endswith("DateTime") and value[:14].isdigit() and len(value) >= 14:
        date, time = _attribute("Date", value[:8]), _attribute("Time", value[8:14])
        return f"{date} {time}"
    if keyword.endswith("Date") and len(value) == 8 and value.isdigit():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    if keyword.endswith("Time") and value[:6].isdigit() and len(value.split(".")[0]) == 6:
        return f"{value[:2]}:{value[2:4]}:{value[4:6]}"
    return value


def _tags(console: Console, tags: Sequence[Field]) -> None:
    console.print("\n[bold cyan]Elements[/]")
    wide = max((len(item.vr) for item in tags), default=2)
    for item in tags:
        line = Text("  " * (item.depth + 1))
        line.append(f"{item.tag} {item.vr:<{wide}} ".lstrip(), style="dim")
        line.append(item.name)
        gap = max(1, 56 - len(line.plain)) if item.value else 0
        line.append(" " * gap)
        line.append(item.value, style="dim" if item.value.startswith("(") else "")
        console.print(line, soft_wrap=True)
    if any(item.value == "(hidden)" for item in tags):
        console.print("\n[dim]Hidden values say who the patient is; --patient shows them.[/]")


# ---------------------------------------------------------------- numbers


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e9:
        return str(int(value))
    if 1e4 <= abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:.4g}"


def _near(value: float) -> float:
    return 0.0 if abs(value) < 1e-3 else value


def _times(lengths: Sequence[float]) -> str:
    return " × ".join(f"{length:.4g}" for length in lengths)


def _matrix(affine: Sequence[Sequence[float]]) -> Text:
    cells = [[f"{_near(value):.4g}" for value in row] for row in affine[:3]]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = (
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return Text("\n".join(lines), no_wrap=True)
