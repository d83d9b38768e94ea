// Outlines of labels: along the edges of voxels, as thin as the screen allows, on a canvas over the tiles.

// The ordinals of a layer on the slice that a plane shows: rows of the axis that runs up.
function sliceOf(layer, axis) {
  const values = layer === view.edited ? view.drawing.bitmap : layer.volume.img;
  const [u, v] = [0, 1, 2].filter((other) => other !== axis), [nx, ny] = facts.shape;
  const strides = [1, nx, nx * ny], start = here()[axis] * strides[axis], width = facts.shape[u], height = facts.shape[v];
  const slice = new Int16Array(width * height);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0, from = start + row * strides[v]; column < width; column++, at++, from += strides[u]) slice[at] = values[from];
  }
  return {slice, width, height, u, v};
}

// Path by ordinal: every edge between voxels of different labels, in the colour of the higher one.
function edgesOf({slice, width, height}, x, y) {
  const paths = new Map();
  const edge = (a, b, fromX, fromY, toX, toY) => {
    if (a === b) return;
    const ordinal = Math.max(a, b);
    if (!paths.has(ordinal)) paths.set(ordinal, new Path2D());
    paths.get(ordinal).moveTo(fromX, fromY);
    paths.get(ordinal).lineTo(toX, toY);
  };
  const value = (column, row) => (column < 0 || row < 0 || column >= width || row >= height ? 0 : slice[column + width * row]);
  for (let row = 0; row <= height; row++) {
    for (let column = 0; column <= width; column++) {
      const own = value(column, row);
      edge(own, value(column - 1, row), x(column), y(row), x(column), y(row + 1));
      edge(own, value(column, row - 1), x(column), y(row), x(column + 1), y(row));
    }
  }
  return paths;
}

function outlineTile(pen, tile, layer) {
  const cut = sliceOf(layer, tile.axis);
  const share = (at, axis, k) => ((at - 0.5) * facts.spacing[axis] - tile.corner[k]) / tile.field[k];
  const x = (column) => tile.left + tile.width * (tile.mirrored ? 1 - share(column, cut.u, 0) : share(column, cut.u, 0));
  const y = (row) => tile.top + tile.height * (1 - share(row, cut.v, 1));
  pen.save();
  pen.beginPath();
  pen.rect(tile.left, tile.top, tile.width, tile.height);
  pen.clip();
  for (const [ordinal, path] of edgesOf(cut, x, y)) {
    const label = layer.labels[ordinal - 1];
    if (!label || label.hidden) continue;
    pen.strokeStyle = label.colour;
    pen.stroke(path);
  }
  pen.restore();
}

function drawOutlines(shown) {
  const canvas = find('.lv-outlines'), dpr = view.nv.uiData.dpr || 1;
  canvas.hidden = !view.outlines;
  if (!view.outlines) return;
  canvas.width = view.nv.canvas.width;
  canvas.height = view.nv.canvas.height;
  const pen = canvas.getContext('2d');
  pen.scale(dpr, dpr);
  pen.lineWidth = 1.4;
  pen.lineCap = 'round';
  for (const tile of shown) {
    if (tile.axis < 0) continue;
    for (const layer of view.layers) if (layer.visible && !layer.isMap) outlineTile(pen, tile, layer);
  }
}

// Filled areas give way to outlines, except where only the 3D view is shown.
function filled(layer) {
  if (!layer.visible) return 0;
  return view.outlines && !layer.isMap && view.layout !== 'render' ? 0 : layer.opacity;
}

function setOutlines(on) {
  view.outlines = on;
  showLayers();
}

function showLayers() {
  for (const layer of view.layers) layer.volume.opacity = layer === view.edited ? 0 : filled(layer);
  if (view.edited) showDrawing(); else view.nv.updateGLVolume();
  view.nv.drawScene();
  refreshPanels();
}
