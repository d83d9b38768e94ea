// From one lesion to the next: connected areas (26 neighbours) of the first mask that is shown, largest first.

function componentsOf(values) {
  const [nx, ny, nz] = facts.shape, seen = new Uint8Array(values.length), found = [];
  for (let seed = 0; seed < values.length; seed++) {
    if (!values[seed] || seen[seed]) continue;
    const members = [seed];
    seen[seed] = 1;
    for (let at = 0; at < members.length; at++) {
      const x = members[at] % nx, y = Math.floor(members[at] / nx) % ny, z = Math.floor(members[at] / (nx * ny));
      for (let k = Math.max(z - 1, 0); k <= Math.min(z + 1, nz - 1); k++) {
        for (let j = Math.max(y - 1, 0); j <= Math.min(y + 1, ny - 1); j++) {
          for (let i = Math.max(x - 1, 0); i <= Math.min(x + 1, nx - 1); i++) {
            const index = i + nx * (j + ny * k);
            if (values[index] && !seen[index]) { seen[index] = 1; members.push(index); }
          }
        }
      }
    }
    found.push(members);
  }
  return found.sort((a, b) => b.length - a.length || a[0] - b[0]);
}

function voxelOf(index) {
  const [nx, ny] = facts.shape;
  return [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))];
}

// The member nearest to the middle of the component's fullest axial slice.
function middleOf(members) {
  const bySlice = new Map();
  for (const index of members) {
    const voxel = voxelOf(index);
    if (!bySlice.has(voxel[2])) bySlice.set(voxel[2], []);
    bySlice.get(voxel[2]).push(voxel);
  }
  const fullest = [...bySlice.values()].reduce((most, one) => (one.length > most.length ? one : most));
  const centre = [0, 1].map((axis) => fullest.reduce((sum, voxel) => sum + voxel[axis], 0) / fullest.length);
  const far = (voxel) => [0, 1].reduce((sum, axis) => sum + ((voxel[axis] - centre[axis]) * facts.spacing[axis]) ** 2, 0);
  return fullest.reduce((best, voxel) => (far(voxel) < far(best) ? voxel : best));
}

function nextComponent(by = 1) {
  const layer = view.edited || view.layers.find((one) => one.visible && !one.isMap);
  if (!layer) return;
  const values = layer === view.edited ? view.drawing.bitmap : layer.volume.img;
  const state = `${view.layers.indexOf(layer)} ${view.drawing.version} ${layer === view.edited}`;
  if (!view.components || view.components.state !== state) {
    const list = componentsOf(values).map((members) => ({voxels: members.length, middle: middleOf(members)}));
    view.components = {state, list, at: by > 0 ? -1 : 0};
  }
  const {list} = view.components;
  if (!list.length) return;
  view.components.at = (view.components.at + by + list.length) % list.length;
  const {voxels, middle} = list[view.components.at];
  view.told = {voxel: middle, text: `${layer.name} ${view.components.at + 1} of ${list.length}, ${amount(voxels)}`};
  goTo(middle);
}
