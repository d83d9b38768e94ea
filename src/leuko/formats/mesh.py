"""Surfaces as files: STL, PLY and GLB (binary glTF 2.0), in scanner millimetres.

Vertices are RAS mm in all of them, so that a surface lies where the scan does in every program. STL
and PLY have no place for a coordinate system: both carry `SPACE=RAS` in their header or comments,
which 3D Slicer reads (without it it assumes LPS). A GLB says so in its `asset.extras` and in the
name of its root node, which neither turns nor scales: programs that take glTF's metres and its y
axis literally show the head large and lying.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.masks.surface import Mesh

__all__ = ["MESH_WRITERS", "Part", "encode_glb", "encode_ply", "encode_stl"]

Rgb = tuple[int, int, int]
Bytes = npt.NDArray[Any]
FLOAT, UINT32 = 5126, 5125  # component types of glTF
VERTICES, INDICES = 34962, 34963  # buffer targets of glTF
SPACE = "SPACE=RAS"
ROOT = "scanner RAS mm"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A surface with a name and a colour (red, green, blue from 0 to 255)."""

    mesh: Mesh
    name: str
    colour: Rgb


def encode_stl(parts: Sequence[Part]) -> bytes:
    """A binary STL of all parts together, RAS mm; names and colours are lost."""
    vertices, faces, _ = _joined(parts)
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    row = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    rows = np.zeros(len(faces), dtype=row)
    rows["normal"] = normals / np.where(length == 0, 1, length)
    rows["corners"] = corners
    header = f"leuko surface, unit mm, {SPACE}".encode().ljust(80)
    return header + struct.pack("<I", len(rows)) + rows.tobytes()


def encode_ply(parts: Sequence[Part]) -> bytes:
    """A binary PLY of all parts together, RAS mm, with the colour of its part at every vertex."""
    vertices, faces, colours = _joined(parts)
    header = "\n".join(
        (
            "ply",
            "format binary_little_endian 1.0",
            f"comment leuko surface, unit mm, {SPACE}",
            f"element vertex {len(vertices)}",
            *(f"property float {axis}" for axis in "xyz"),
            *(f"property uchar {name}" for name in ("red", "green", "blue")),
            f"element face {len(faces)}",
            "property list uchar int vertex_indices",
            "end_header\n",
        )
    )
    points = np.zeros(len(vertices), dtype=[("place", "<f4", 3), ("colour", "u1", 3)])
    points["place"], points["colour"] = vertices, colours
    triangles = np.zeros(len(faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    triangles["count"], triangles["corners"] = 3, faces
    return header.encode("ascii") + points.tobytes() + triangles.tobytes()


def encode_glb(parts: Sequence[Part]) -> bytes:
    """A GLB with a named, coloured node for each part."""
    file = _Gltf()
    nodes: list[dict[str, Any]] = [{"name": ROOT, "children": []}]
    meshes: list[dict[str, Any]] = []
    materials: list[dict[str, Any]] = []
    for part in parts:
        if len(part.mesh.faces) == 0:
            continue
        nodes[0]["children"].append(len(nodes))
        nodes.append({"name": part.name, "mesh": len(meshes)})
        attributes = {
            "POSITION": file.add(part.mesh.vertices, VERTICES, bounds=True),
            "NORMAL": file.add(part.mesh.normals, VERTICES),
        }
        indices = file.add(part.mesh.faces.ravel(), INDICES)
        meshes.append(
            {
                "name": part.name,
                "primitives": [
                    {"attributes": attributes, "indices": indices, "material": len(materials)}
                ],
            }
        )
        materials.append(_material(part))
    return file.packed({"nodes": nodes, "meshes": meshes, "materials": materials})


class _Gltf:
    """The binary half of a GLB while it is filled."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._views: list[dict[str, int]] = []
        self._accessors: list[dict[str, Any]] = []
        self._size = 0

    def add(self, values: Bytes, target: int, *, bounds: bool = False) -> int:
        """Append an array; returns the number of its accessor."""
        whole = target == INDICES
        piece = np.ascontiguousarray(values, dtype="<u4" if whole else "<f4").tobytes()
        accessor: dict[str, Any] = {
            "bufferView": len(self._views),
            "componentType": UINT32 if whole else FLOAT,
            "count": len(values),
            "type": "SCALAR" if whole else "VEC3",
        }
        if bounds:
            accessor["min"] = [float(edge) for edge in values.min(axis=0)]
            accessor["max"] = [float(edge) for edge in values.max(axis=0)]
        view = {"buffer": 0, "byteOffset": self._size, "byteLength": len(piece), "target": target}
        self._views.append(view)
        self._accessors.append(accessor)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(self._accessors) - 1

    def packed(self, content: dict[str, Any]) -> bytes:
        """The file: header, JSON chunk, binary chunk, both padded to four bytes."""
        whole = {
            "asset": {
                "version": "2.0",
                "generator": "leuko",
                "extras": {"space": "RAS", "unit": "mm"},
            },
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            **{name: held for name, held in content.items() if held},
        }
        if not self._pieces:  # glTF allows no empty lists, nor a node without children in one
            whole["nodes"] = [{"name": ROOT}]
        else:
            whole["buffers"] = [{"byteLength": self._size}]
            whole["bufferViews"], whole["accessors"] = self._views, self._accessors
        text = json.dumps(whole, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        if self._pieces:  # floats and whole numbers of four bytes need no padding
            chunks += struct.pack("<I4s", self._size, b"BIN\0") + b"".join(self._pieces)
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _material(part: Part) -> dict[str, Any]:
    # glTF wants linear light; colours of labels are as a screen shows them.
    shown = np.array(part.colour) / 255
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    return {
        "name": part.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*(round(float(value), 5) for value in linear), 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": 0.7,
        },
    }


def _joined(parts: Sequence[Part]) -> tuple[Bytes, Bytes, Bytes]:
    """Vertices, faces and colours of all parts in one."""
    counts = [len(part.mesh.vertices) for part in parts]
    starts = [sum(counts[:number]) for number in range(len(counts))]
    vertices = [part.mesh.vertices for part in parts]
    faces = [part.mesh.faces + start for part, start in zip(parts, starts, strict=True)]
    colours = [
        np.tile(np.array(part.colour, dtype=np.uint8), (count, 1))
        for part, count in zip(parts, counts, strict=True)
    ]
    return (
        np.concatenate([np.zeros((0, 3), dtype=np.float32), *vertices]),
        np.concatenate([np.zeros((0, 3), dtype=np.int32), *faces]),
        np.concatenate([np.zeros((0, 3), dtype=np.uint8), *colours]),
    )


MESH_WRITERS = {".stl": encode_stl, ".ply": encode_ply, ".glb": encode_glb}
"""How a surface is written, by the suffix of the file."""
