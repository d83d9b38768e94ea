"""Surfaces of masks: closed, smooth triangle meshes in scanner millimetres, normals outwards.

Source: surface nets after Gibson 1998, with a vertex for each sheet of a cell (Nielson 2004);
smoothing after Taubin 1995.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from leuko.image.grid import Grid
from leuko.masks.box import bounding_box
from leuko.masks.surface_table import EDGES, edge_ends, sheets

__all__ = ["SMOOTHING", "Mesh", "surface"]

FloatArray = npt.NDArray[np.float64]
Faces = npt.NDArray[np.int32]
SMOOTHING = 12  # rounds
SHRINK, SWELL = 0.5, -0.53  # of each round; together they keep the shape's size
FAR_OFF = 0.2  # of the volume: more than this is put right by scaling, less along the normals


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles (M, 3) of vertices (N, 3) in RAS mm; seen from outside they turn left."""

    vertices: npt.NDArray[np.float32]
    faces: Faces

    @property
    def volume_mm3(self) -> float:
        """The volume that the surface encloses."""
        return float(_signed_volumes(self.vertices.astype(np.float64), self.faces).sum())

    @property
    def area_mm2(self) -> float:
        """The area of the surface."""
        return float(
            np.linalg.norm(_cross(self.vertices.astype(np.float64), self.faces), axis=1).sum() / 2
        )

    @property
    def normals(self) -> npt.NDArray[np.float32]:
        """Unit normals (N, 3) at the vertices, pointing outwards."""
        return _vertex_normals(self.vertices.astype(np.float64), self.faces).astype(np.float32)


def surface(mask: npt.NDArray[Any], *, grid: Grid, smoothing: int = SMOOTHING) -> Mesh:
    """The surface of the non-zero voxels of a 3D mask on `grid`; empty for an empty mask.

    It is closed: every edge belongs to an even number of triangles (two, save where parts touch in
    rare corners). `smoothing` rounds (0: none) smooth the steps of voxels; after them each
    part has the volume of its voxels again. With 0 it runs along the faces of the voxels.
    """
    found = bounding_box(mask)
    if found is None:
        return Mesh(np.zeros((0, 3), dtype=np.float32), np.zeros((0, 3), dtype=np.int32))
    filled = np.pad(mask[found] != 0, 1)
    origin = np.array([part.start for part in found]) - 1.0
    blocky, net, quads = _nets(filled)
    if np.linalg.det(grid.affine[:3, :3]) < 0:
        quads = quads[:, ::-1]
    blocky, net = grid.to_world(blocky + origin), grid.to_world(net + origin)
    if smoothing <= 0:
        return Mesh(blocky.astype(np.float32), _triangles(blocky, quads))
    neighbours = _neighbours(quads, len(net))
    smooth = _taubin(net, neighbours, rounds=smoothing)
    faces = _triangles(smooth, quads)
    smooth = _with_volumes(smooth, faces, like=blocky, neighbours=neighbours)
    return Mesh(smooth.astype(np.float32), faces)


def _nets(filled: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, Faces]:
    """Vertices at the middle of their cells, vertices amid the crossed edges, and quads of them.

    Both in voxel coordinates of `filled`, whose border is empty.
    """
    x, y, z = (size - 1 for size in filled.shape)
    cases = np.zeros((x, y, z), dtype=np.uint8)
    for corner in range(8):
        i, j, k = corner & 1, corner >> 1 & 1, corner >> 2
        cases |= filled[i : i + x, j : j + y, k : k + z].view(np.uint8) << np.uint8(corner)
    table = sheets()
    active = np.flatnonzero((cases != 0) & (cases != 255))
    active_cases = cases.ravel()[active]
    counts = (table.max(axis=1) + 1)[active_cases]
    first = np.zeros(cases.size, dtype=np.int32)
    first[active] = np.cumsum(counts) - counts
    total = int(counts.sum())
    corners = np.stack(np.unravel_index(active, cases.shape), axis=1)
    blocky = np.repeat(corners + 0.5, counts, axis=0)
    sums, shares = np.zeros((total, 3)), np.zeros(total)
    for edge in range(EDGES):
        sheet = table[active_cases, edge]
        crossed = sheet >= 0
        vertex = first[active[crossed]] + sheet[crossed]
        ends = np.array([[end & 1, end >> 1 & 1, end >> 2] for end in edge_ends(edge)])
        # A sheet crosses an edge once, so that no vertex is met twice.
        sums[vertex] += corners[crossed] + ends.mean(axis=0)
        shares[vertex] += 1
    quads = np.concatenate([_quads(filled, cases, first, axis) for axis in range(3)])
    return blocky, sums / shares[:, None], quads


def _quads(
    filled: npt.NDArray[np.bool_],
    cases: npt.NDArray[np.uint8],
    first: npt.NDArray[np.int32],
    axis: int,
) -> Faces:
    """A quad for each pair of neighbours along `axis` of which one is filled, facing the other."""
    ahead = np.roll(filled, -1, axis=axis)
    starts = np.argwhere(filled != ahead)
    outwards = filled[tuple(starts.T)]
    second, third = (axis + 1) % 3, (axis + 2) % 3
    vertices = []
    for p, q in ((1, 1), (0, 1), (0, 0), (1, 0)):
        cell = starts.copy()
        cell[:, second] -= p
        cell[:, third] -= q
        flat = np.ravel_multi_index(tuple(cell.T), cases.shape)
        sheet = sheets()[cases.ravel()[flat], 4 * axis + p + 2 * q]
        vertices.append(first[flat] + sheet)
    quads = np.stack(vertices, axis=1).astype(np.int32)
    quads[~outwards] = quads[~outwards, ::-1]
    return quads


def _triangles(vertices: FloatArray, quads: Faces) -> Faces:
    """Two triangles a quad, split along the shorter diagonal."""
    a, b, c, d = (vertices[quads[:, corner]] for corner in range(4))
    along = np.linalg.norm(a - c, axis=1) <= np.linalg.norm(b - d, axis=1)
    ordered = np.where(along[:, None], quads, np.roll(quads, -1, axis=1))
    return np.concatenate([ordered[:, [0, 1, 2]], ordered[:, [0, 2, 3]]]).astype(np.int32)


def _neighbours(quads: Faces, count: int) -> sparse.csr_array:
    """1 where two vertices share the side of a quad."""
    one, other = quads.ravel(), np.roll(quads, -1, axis=1).ravel()
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    matrix = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count)).tocsr()
    matrix.data[:] = 1.0
    return matrix


def _taubin(vertices: FloatArray, neighbours: sparse.csr_array, *, rounds: int) -> FloatArray:
    degree = np.asarray(neighbours.sum(axis=1)).reshape(-1, 1)
    found = vertices
    for _ in range(rounds):
        for step in (SHRINK, SWELL):
            found = found + step * (neighbours @ found / degree - found)
    return found


def _with_volumes(
    vertices: FloatArray, faces: Faces, *, like: FloatArray, neighbours: sparse.csr_array
) -> FloatArray:
    """Each part of the surface brought to the volume that it has with the vertices `like`."""
    count, part = sparse.csgraph.connected_components(neighbours, directed=False)
    of_face = part[faces[:, 0]]
    wanted = np.bincount(of_face, _signed_volumes(like, faces), count)
    sizes = np.bincount(part, minlength=count)[:, None]
    centres = np.stack([np.bincount(part, axis, count) for axis in vertices.T], axis=1) / sizes
    there = np.bincount(of_face, _signed_volumes(vertices, faces), count)
    ratio = np.cbrt(np.clip(wanted / np.where(there == 0, 1, there), 1e-6, 1e6))
    near = np.abs(wanted - there) <= FAR_OFF * np.abs(wanted)
    ratio[near] = 1.0
    found = centres[part] + ratio[part][:, None] * (vertices - centres[part])
    for _ in range(2):
        there = np.bincount(of_face, _signed_volumes(found, faces), count)
        areas = np.bincount(of_face, np.linalg.norm(_cross(found, faces), axis=1) / 2, count)
        shift = np.where(near, (wanted - there) / areas, 0.0)
        found = found + shift[part][:, None] * _vertex_normals(found, faces)
    return found


def _cross(vertices: FloatArray, faces: Faces) -> FloatArray:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)


def _signed_volumes(vertices: FloatArray, faces: Faces) -> FloatArray:
    """What each triangle adds to the enclosed volume, seen from the middle of all."""
    middle = vertices.mean(axis=0) if len(vertices) else np.zeros(3)
    a, b, c = (vertices[faces[:, corner]] - middle for corner in range(3))
    return np.asarray(np.einsum("ij,ij->i", a, np.cross(b, c)) / 6)


def _vertex_normals(vertices: FloatArray, faces: Faces) -> FloatArray:
    cross = _cross(vertices, faces)
    sums = np.stack(
        [np.bincount(faces.T.ravel(), np.tile(axis, 3), len(vertices)) for axis in cross.T],
        axis=1,
    )
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))
