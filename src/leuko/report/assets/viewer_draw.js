// Drawing on a mask: pen, eraser, filled outline, undo, and a file with the scan's own grid.
view.edited = null;  // the layer that is drawn on
view.drawing = {
  bitmap: null, label: 1, tool: 'pen', size: 0, ball: false, limited: false, limits: [0, 0],
  done: [], undone: [], stroke: null, changed: false, box: null, pending: 0, version: 0,
};

// ---------------------------------------------------------------- beginning and ending

async function newMask() {
  const size = facts.shape[0] * facts.shape[1] * facts.shape[2];
  const buffer = new ArrayBuffer(352 + size);
  new Uint8Array(buffer).set(new Uint8Array(view.header));
  const fields = new DataView(buffer);
  fields.setInt16(40, 3, true);
  fields.setInt16(48, 1, true);  // one volume
  fields.setInt16(70, 2, true);  // bytes
  fields.setInt16(72, 8, true);
  fields.setFloat32(112, 1, true);
  fields.setFloat32(116, 0, true);
  const count = view.layers.filter((layer) => layer.drawn).length;
  const colour = facts.colours[view.layers.length % facts.colours.length];
  const name = count ? `New mask ${count + 1}` : 'New mask';
  const about = {name, stem: `${facts.stem}_mask`, isMap: false, limits: [0, 1], editable: true, drawn: true, labels: [{value: 1, name, colour, voxels: 0}]};
  edit(await addLayer(about, buffer));
}

// Draw on `layer`; null: stop, with what was drawn kept in its layer.
function edit(layer) {
  const {nv, drawing} = view, before = view.edited;
  if (before) {
    before.volume.img.set(drawing.bitmap);
    nv.closeDrawing();
    view.edited = null;
    before.volume.opacity = filled(before);
  }
  if (layer) {
    view.edited = layer;
    layer.visible = true;
    layer.volume.opacity = 0;
    nv.createEmptyDrawing();
    drawing.bitmap = nv.drawBitmap;
    drawing.bitmap.set(layer.volume.img);
    drawing.done = [];
    drawing.undone = [];
    drawing.label = Math.min(drawing.label, layer.labels.length);
    if (drawing.limits[0] === drawing.limits[1]) drawing.limits = [...view.window];
    nv.refreshDrawing(false);
    showDrawing();
  }
  nv.updateGLVolume();
  refreshPanels();
}

function showDrawing() {
  const lut = new Uint8ClampedArray(1024);
  view.edited.labels.forEach((label, index) => lut.set([...rgb(label.colour), label.hidden ? 0 : 255], 4 * (index + 1)));
  view.nv.drawLut = {lut, labels: Array.from({length: 256}, (_, index) => String(index))};
  view.nv.drawOpacity = filled(view.edited);
  view.nv.updateGLVolume();
}

function newLabel() {
  const {labels} = view.edited, value = Math.max(...labels.map((label) => label.value)) + 1;
  if (value > 255) return;
  labels.push({value, name: `${view.edited.name} ${value}`, colour: facts.colours[labels.length % facts.colours.length], voxels: 0, hidden: false});
  view.drawing.label = labels.length;
  showDrawing();
  view.edited.volume.setColormapLabel(palette(labels));
  refreshPanels();
}

// ---------------------------------------------------------------- changing voxels

function beginStroke() { view.drawing.stroke = new Map(); }

function put(index, value) {
  const {bitmap, stroke, limited, limits} = view.drawing, before = bitmap[index];
  if (before === value) return;
  if (limited && value) {
    const grey = view.image.img[index + view.volume * bitmap.length] * (view.image.hdr.scl_slope || 1) + view.image.hdr.scl_inter;
    if (grey < limits[0] || grey > limits[1]) return;
  }
  if (!stroke.has(index)) stroke.set(index, before);
  bitmap[index] = value;
  view.drawing.version += 1;
  count(before, value);
  grow(index);
}

function count(before, after) {
  const {labels} = view.edited;
  if (before) labels[before - 1].voxels -= 1;
  if (after) labels[after - 1].voxels += 1;
}

function grow(index) {
  const [nx, ny] = facts.shape;
  const voxel = [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))];
  const {box} = view.drawing;
  if (!box) { view.drawing.box = [[...voxel], [...voxel]]; return; }
  for (let axis = 0; axis < 3; axis++) {
    box[0][axis] = Math.min(box[0][axis], voxel[axis]);
    box[1][axis] = Math.max(box[1][axis], voxel[axis]);
  }
}

// Hand the changed box to the graphics card, at most once a frame.
function showChanges() {
  const {drawing, nv} = view;
  if (drawing.pending) return;
  drawing.pending = requestAnimationFrame(() => {
    drawing.pending = 0;
    uploadChanges();
    nv.drawScene();
  });
}

function uploadChanges() {
  const {drawing, nv} = view, {box, bitmap} = drawing, [nx, ny] = facts.shape;
  if (!box) return;
  drawing.box = null;
  const size = [0, 1, 2].map((axis) => box[1][axis] - box[0][axis] + 1), piece = new Uint8Array(size[0] * size[1] * size[2]);
  for (let z = 0, at = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++, at += size[0]) {
      const from = box[0][0] + nx * (box[0][1] + y + ny * (box[0][2] + z));
      piece.set(bitmap.subarray(from, from + size[0]), at);
    }
  }
  const {gl} = nv;
  gl.activeTexture(gl.TEXTURE7);
  gl.bindTexture(gl.TEXTURE_3D, nv.drawTexture);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.texSubImage3D(gl.TEXTURE_3D, 0, ...box[0], ...size, gl.RED, gl.UNSIGNED_BYTE, piece);
}

function endStroke() {
  const {drawing} = view, {stroke} = drawing;
  drawing.stroke = null;
  if (stroke && stroke.size) {
    drawing.done.push(changesOf(stroke));
    if (drawing.done.length > 200) drawing.done.shift();
    drawing.undone = [];
    drawing.changed = true;
  }
  showChanges();
  refreshPanels();
}

function changesOf(stroke) {
  const index = Int32Array.from(stroke.keys()), before = Uint8Array.from(stroke.values());
  return {index, before, after: Uint8Array.from(index, (at) => view.drawing.bitmap[at])};
}

function undo(from = view.drawing.done, to = view.drawing.undone, side = 'before') {
  if (!view.edited || !from.length) return;
  const change = from.pop();
  change.index.forEach((index, at) => {
    count(view.drawing.bitmap[index], change[side][at]);
    view.drawing.bitmap[index] = change[side][at];
    view.drawing.version += 1;
    grow(index);
  });
  to.push(change);
  showChanges();
  refreshPanels();
}
function redo() { undo(view.drawing.undone, view.drawing.done, 'after'); }

// ---------------------------------------------------------------- tools

// A round tip in mm: a disc in the plane across `axis`, or a ball. The voxel under it always counts.
function stamp(voxel, axis, value) {
  const radius = view.drawing.size / 2, [nx, ny] = facts.shape;
  const reach = facts.spacing.map((length, along) => (along === axis && !view.drawing.ball ? 0 : Math.floor(radius / length + 1e-6)));
  for (let dz = -reach[2]; dz <= reach[2]; dz++) {
    for (let dy = -reach[1]; dy <= reach[1]; dy++) {
      for (let dx = -reach[0]; dx <= reach[0]; dx++) {
        const far = (dx * facts.spacing[0]) ** 2 + (dy * facts.spacing[1]) ** 2 + (dz * facts.spacing[2]) ** 2;
        const x = voxel[0] + dx, y = voxel[1] + dy, z = voxel[2] + dz;
        if (far > radius * radius + 1e-6 && far > 0) continue;
        if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= facts.shape[2]) continue;
        put(x + nx * (y + ny * z), value);
      }
    }
  }
}

function strokeLine(from, to, axis, value) {
  const steps = Math.max(1, ...from.map((at, along) => Math.abs(to[along] - at))) * 2;
  for (let i = 0; i <= steps; i++) stamp(from.map((at, along) => Math.round(at + (to[along] - at) * i / steps)), axis, value);
}

// Every voxel of the slice whose centre lies inside a closed outline of points (in voxels).
function fillOutline(points, axis, slice, value) {
  const [u, v] = [0, 1, 2].filter((other) => other !== axis);
  const low = Math.max(0, Math.floor(Math.min(...points.map((point) => point[v]))));
  const high = Math.min(facts.shape[v] - 1, Math.ceil(Math.max(...points.map((point) => point[v]))));
  for (let row = low; row <= high; row++) {
    const crossed = [];
    points.forEach((a, index) => {
      const b = points[(index + 1) % points.length];
      if ((a[v] <= row) !== (b[v] <= row)) crossed.push(a[u] + (row - a[v]) / (b[v] - a[v]) * (b[u] - a[u]));
    });
    crossed.sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossed.length; pair += 2) {
      const last = Math.min(facts.shape[u] - 1, Math.floor(crossed[pair + 1]));
      for (let column = Math.max(0, Math.ceil(crossed[pair])); column <= last; column++) {
        const voxel = [0, 0, 0];
        voxel[axis] = slice; voxel[u] = column; voxel[v] = row;
        put(offsetOf(voxel), value);
      }
    }
  }
}

// Give the label to what the slice's own voxels of any label enclose.
function fillHoles(axis = view.axis, slice = here()[axis]) {
  const [u, v] = [0, 1, 2].filter((other) => other !== axis), nu = facts.shape[u], nv = facts.shape[v];
  const at = (column, row) => { const voxel = [0, 0, 0]; voxel[axis] = slice; voxel[u] = column; voxel[v] = row; return offsetOf(voxel); };
  const outside = new Uint8Array(nu * nv), queue = [];
  const visit = (column, row) => {
    if (column < 0 || row < 0 || column >= nu || row >= nv || outside[column + nu * row] || view.drawing.bitmap[at(column, row)]) return;
    outside[column + nu * row] = 1;
    queue.push([column, row]);
  };
  for (let column = 0; column < nu; column++) { visit(column, 0); visit(column, nv - 1); }
  for (let row = 0; row < nv; row++) { visit(0, row); visit(nu - 1, row); }
  while (queue.length) {
    const [column, row] = queue.pop();
    visit(column - 1, row); visit(column + 1, row); visit(column, row - 1); visit(column, row + 1);
  }
  beginStroke();
  for (let row = 0; row < nv; row++) for (let column = 0; column < nu; column++) if (!outside[column + nu * row] && !view.drawing.bitmap[at(column, row)]) put(at(column, row), view.drawing.label);
  endStroke();
}

// ---------------------------------------------------------------- the pen on the stage

// Where an event points to: plane, voxel with fractions, and place on the stage.
function pointed(event) {
  const bounds = find('.lv-stage').getBoundingClientRect(), dpr = view.nv.uiData.dpr || 1;
  const x = event.clientX - bounds.left, y = event.clientY - bounds.top;
  const index = view.nv.tileIndex(x * dpr, y * dpr);
  if (index < 0 || view.nv.screenSlices[index].axCorSag > 2) return null;
  const frac = view.nv.screenXY2TextureFrac(x * dpr, y * dpr, index, false);
  if (frac[0] < -0.5) return null;
  const exact = [0, 1, 2].map((axis) => frac[axis] * facts.shape[axis] - 0.5);
  return {index, x, y, axis: 2 - view.nv.screenSlices[index].axCorSag, exact, voxel: exact.map(Math.round)};
}

function inside(voxel) { return voxel.every((at, axis) => at >= 0 && at < facts.shape[axis]); }

function watchDrawing() {
  const stage = find('.lv-stage'), {drawing} = view;
  let last = null, outline = null;
  const value = (event) => (drawing.tool === 'eraser' || event.altKey ? 0 : drawing.label);
  stage.addEventListener('pointerdown', (event) => {
    if (!view.edited || event.button !== 0 || event.shiftKey || event.ctrlKey) return;
    const at = pointed(event);
    if (!at || !inside(at.voxel)) return;
    stage.setPointerCapture(event.pointerId);
    last = {...at, value: value(event)};
    view.axis = at.axis;
    beginStroke();
    if (drawing.tool === 'outline') outline = [at];
    else { stamp(at.voxel, at.axis, last.value); showChanges(); }
  }, true);
  stage.addEventListener('pointermove', (event) => {
    if (!last) return;
    const at = pointed(event);
    if (!at || at.index !== last.index) return;
    if (outline) {
      outline.push(at);
      find('.lv-lasso polyline').setAttribute('points', outline.map((point) => `${point.x},${point.y}`).join(' '));
      return;
    }
    strokeLine(last.voxel, at.voxel, last.axis, last.value);
    last = {...at, value: last.value};
    showChanges();
  }, true);
  const end = () => {
    if (!last) return;
    if (outline && outline.length > 2) fillOutline(outline.map((point) => point.exact), last.axis, last.voxel[last.axis], last.value);
    find('.lv-lasso polyline').setAttribute('points', '');
    last = outline = null;
    endStroke();
  };
  stage.addEventListener('pointerup', end, true);
  stage.addEventListener('pointercancel', end, true);
  for (const kind of ['mousedown', 'touchstart', 'mousemove', 'touchmove', 'mouseup', 'touchend']) {
    stage.addEventListener(kind, (event) => { if (last || (view.edited && event.button === 0 && kind === 'mouseup' && !event.shiftKey && !event.ctrlKey)) event.stopPropagation(); }, {capture: true, passive: true});
  }
  window.addEventListener('beforeunload', (event) => { if (drawing.changed) event.preventDefault(); });
}

// ---------------------------------------------------------------- the file

// The mask as it was drawn, as a NIfTI file (not compressed): the scan's header and axes.
function maskFile() {
  const header = bytesOf(facts.maskHeader), {labels} = view.edited, {bitmap} = view.drawing;
  const file = new Uint8Array(header.length + bitmap.length), values = Uint8Array.of(0, ...labels.map((label) => label.value));
  file.set(header);
  const strides = [1, facts.fileShape[0], facts.fileShape[0] * facts.fileShape[1]];
  const steps = facts.axes.map((own, axis) => (facts.flipped[axis] ? -strides[own] : strides[own]));
  const first = facts.axes.reduce((sum, own, axis) => sum + (facts.flipped[axis] ? (facts.shape[axis] - 1) * strides[own] : 0), header.length);
  let index = 0;
  for (let z = 0; z < facts.shape[2]; z++) {
    for (let y = 0; y < facts.shape[1]; y++) {
      let to = first + z * steps[2] + y * steps[1];
      for (let x = 0; x < facts.shape[0]; x++, index++, to += steps[0]) file[to] = values[bitmap[index]];
    }
  }
  return file;
}

function maskName() {
  const stem = view.edited.drawn ? view.edited.stem : `${view.edited.stem.replace(/[^\w.-]+/g, '_')}_corrected`;
  return `${stem}.nii.gz`;
}

async function saveMask() {
  if (!view.edited) return;
  const packed = await streamed(maskFile(), new CompressionStream('gzip'));
  save(new Blob([packed], {type: 'application/gzip'}), maskName());
  view.drawing.changed = false;
  refreshPanels();
}

// ---------------------------------------------------------------- its panel

function buildDrawing() {
  if (!facts.maskHeader) return;
  const {drawing} = view, off = make('div'), on = make('div');
  off.append(button('New mask', 'Draw a mask on the scan\'s own grid (D)', () => newMask()));
  const tools = make('div', {className: 'lv-tools'});
  for (const [tool, text, title] of [['pen', 'Pen', 'Draw (B)'], ['eraser', 'Eraser', 'Erase (E); Alt erases with every tool'], ['outline', 'Outline', 'Draw around an area; it is filled (F)']]) {
    tools.append(button(text, title, () => { drawing.tool = tool; refreshPanels(); }, () => drawing.tool === tool));
  }
  const choice = make('select', {'aria-label': 'Label'});
  choice.addEventListener('change', () => { drawing.label = Number(choice.value); root.focus(); });
  const text = make('output'), most = Math.max(20, Math.min(...facts.spacing) * 20);
  const size = slider({min: 0, max: most, step: Math.min(...facts.spacing) / 2, label: 'Pen size', change: (value) => { drawing.size = value; refreshPanels(); }});
  const ball = make('input', {type: 'checkbox', id: 'lv-ball'}), limited = make('input', {type: 'checkbox', id: 'lv-limited'});
  ball.addEventListener('change', () => { drawing.ball = ball.checked; });
  limited.addEventListener('change', () => { drawing.limited = limited.checked; refreshPanels(); });
  const limits = [0, 1].map((end) => {
    const field = make('input', {type: 'number', step: 'any', 'aria-label': end ? 'Brightest value drawn' : 'Darkest value drawn'});
    field.addEventListener('change', () => { drawing.limits[end] = Number(field.value); });
    return field;
  });
  const between = make('div', {className: 'lv-row'}, make('label', {textContent: 'Between'}), ...limits);
  between.style.gridTemplateColumns = '62px 1fr 1fr';
  const check = (box, said) => make('div', {className: 'lv-row lv-wide'}, make('span'), make('label', {}, box, ` ${said}`));
  const total = make('p', {className: 'lv-note'});
  const saveButton = button('Save mask (.nii.gz)', 'On the scan\'s own grid, for leuko measure (Ctrl+S)', () => saveMask());
  saveButton.className = 'lv-save';
  on.append(
    tools,
    make('div', {className: 'lv-row'}, make('label', {textContent: 'Label'}), choice, button('Add', 'A further label', newLabel)),
    make('div', {className: 'lv-row'}, make('label', {textContent: 'Size'}), size, text),
    check(ball, 'through slices (ball)'), check(limited, 'only values in a range'), between,
    make('div', {className: 'lv-tools'}, button('Fill holes', 'In this slice (H)', () => fillHoles()), button('Undo', 'Ctrl+Z', () => undo()), button('Redo', 'Ctrl+Y', redo), button('Done', 'Stop drawing (D)', () => edit(null))),
    total, saveButton,
  );
  const box = panel('Draw', off, on);
  box.dataset.panel = 'draw';
  shownBy.push(() => {
    off.hidden = Boolean(view.edited);
    on.hidden = !view.edited;
    if (!view.edited) return;
    const {labels} = view.edited;
    choice.replaceChildren(...labels.map((label, index) => make('option', {value: String(index + 1), textContent: label.name})));
    choice.value = String(drawing.label);
    size.value = drawing.size;
    text.textContent = drawing.size < Math.min(...facts.spacing) ? '1 voxel' : `${drawing.size.toFixed(1)} ${facts.sized ? 'mm' : 'px'}`;
    between.hidden = !drawing.limited;
    limits.forEach((field, end) => { field.value = Number(drawing.limits[end].toPrecision(4)); });
    total.textContent = `${view.edited.name}: ${labels.map((label) => (labels.length > 1 ? `${label.name} ${amount(label.voxels)}` : `${amount(label.voxels)}, ${label.voxels} voxels`)).join('; ')}`;
  });
}
