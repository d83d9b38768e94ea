"""STL, PLY and GLB are read by others where they were written: in the scanner's world."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import pytest

from leuko.formats.mesh import MESH_WRITERS, Part, encode_glb, encode_ply, encode_stl
from leuko.image.grid import Grid
from leuko.masks.surface import Mesh, surface


def part(at: tuple[int, int, int], name: str, colour: tuple[int, int, int]) -> Part:
    mask = np.zeros((12, 12, 12), dtype=np.bool_)
    mask[tuple(slice(start, start + 3) for start in at)] = True
    affine = np.diag([-1.0, 1.5, 2.0, 1.0])
    affine[:3, 3] = [40.0, -20.0, 10.0]
    return Part(surface(mask, grid=Grid(mask.shape, affine)), name, colour)


PARTS = (part((1, 2, 3), "left", (255, 0, 0)), part((7, 6, 5), "right", (0, 128, 255)))
NOTHING = Part(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), "none", (1, 2, 3))


def loaded(content: bytes, kind: str) -> Any:
    trimesh = pytest.importorskip("trimesh")
    return trimesh.load(io.BytesIO(content), file_type=kind)


@pytest.mark.parametrize(("encode", "kind"), [(encode_stl, "stl"), (encode_ply, "ply")])
def test_another_reader_finds_place_volume_and_closedness(encode: Any, kind: str) -> None:
    found = loaded(encode(PARTS), kind)
    vertices = np.concatenate([item.mesh.vertices for item in PARTS])
    assert np.allclose(found.bounds, [vertices.min(axis=0), vertices.max(axis=0)], atol=1e-4)
    assert found.is_watertight
    assert found.volume == pytest.approx(sum(item.mesh.volume_mm3 for item in PARTS), rel=1e-3)
    assert found.volume > 0


def test_the_header_says_ras_and_does_not_look_like_text_stl() -> None:
    content = encode_stl(PARTS)
    assert b"SPACE=RAS" in content[:80]
    assert not content.startswith(b"solid")
    (count,) = struct.unpack("<I", content[80:84])
    assert len(content) == 84 + 50 * count
    assert b"comment leuko surface, unit mm, SPACE=RAS\n" in encode_ply(PARTS)


def test_colours_are_in_the_ply() -> None:
    found = loaded(encode_ply(PARTS), "ply")
    colours = np.unique(found.visual.vertex_colors[:, :3], axis=0).tolist()
    assert [[0, 128, 255], [255, 0, 0]] == colours


def test_a_glb_has_named_coloured_parts_in_scanner_millimetres() -> None:
    content = encode_glb((*PARTS, NOTHING))
    scene = loaded(content, "glb")
    assert {"left", "right"} == set(scene.geometry)
    low, high = scene.bounds
    vertices = np.concatenate([item.mesh.vertices for item in PARTS])
    assert np.allclose([low, high], [vertices.min(axis=0), vertices.max(axis=0)], atol=1e-4)
    assert scene.geometry["left"].visual.material.baseColorFactor[:3].tolist() == [255, 0, 0]


def test_the_vertices_in_a_glb_are_the_scanners() -> None:
    content = encode_glb(PARTS)
    magic, version, size = struct.unpack("<4sII", content[:12])
    assert (magic, version, size) == (b"glTF", 2, len(content))
    length, kind = struct.unpack("<I4s", content[12:20])
    assert kind == b"JSON"
    told = json.loads(content[20 : 20 + length])
    accessor = told["accessors"][0]
    assert np.allclose(accessor["min"], PARTS[0].mesh.vertices.min(axis=0))
    start, binary = struct.unpack("<I4s", content[20 + length : 28 + length])
    assert binary == b"BIN\0"
    assert start == told["buffers"][0]["byteLength"]
    assert told["asset"]["extras"] == {"space": "RAS", "unit": "mm"}
    assert not any({"matrix", "scale", "rotation"} & set(node) for node in told["nodes"])


@pytest.mark.parametrize("suffix", MESH_WRITERS)
def test_an_empty_surface_is_a_valid_file(suffix: str) -> None:
    content = MESH_WRITERS[suffix]((NOTHING,))
    assert len(content) > 80
    if suffix == ".glb":
        assert struct.unpack("<I", content[8:12]) == (len(content),)
