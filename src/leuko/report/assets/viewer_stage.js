// The stage: layout, position, window, what stands on the tiles, and what the mouse does there.

// ---------------------------------------------------------------- position

// The voxel (shown axes) under the crosshair.
function here() {
  return [0, 1, 2].map((axis) => {
    const at = Math.floor(view.nv.scene.crosshairPos[axis] * facts.shape[axis]);
    return Math.min(Math.max(at, 0), facts.shape[axis] - 1);
  });
}

function goTo(voxel) {
  view.nv.scene.crosshairPos = [0, 1, 2].map((axis) => {
    const at = Math.min(Math.max(Math.round(voxel[axis]), 0), facts.shape[axis] - 1);
    return (at + 0.5) / facts.shape[axis];
  });
  view.nv.drawScene();
}

function step(by, axis = view.axis) {
  const voxel = here();
  voxel[axis] += by;
  goTo(voxel);
}

// The voxel of the file's array, in its own axes; a middle one where several became one.
function fileVoxel(voxel) {
  const index = [0, 0, 0];
  for (let axis = 0; axis < 3; axis++) {
    const own = facts.axes[axis], factor = facts.factors[axis];
    const at = voxel[axis] * factor + Math.floor((factor - 1) / 2);
    index[own] = facts.flipped[axis] ? facts.fileShape[own] - 1 - at : at;
  }
  return index;
}

// World coordinates (RAS, mm) of a voxel in shown axes.
function world(voxel) {
  const full = voxel.map((at, axis) => at * facts.factors[axis] + (facts.factors[axis] - 1) / 2);
  return [0, 1, 2].map((row) => facts.affine[row][3] + full.reduce((sum, at, axis) => sum + facts.affine[row][axis] * at, 0));
}

function offsetOf(voxel) { return voxel[0] + facts.shape[0] * (voxel[1] + facts.shape[1] * voxel[2]); }

function valueAt(volume, voxel, frame = 0) {
  const size = facts.shape[0] * facts.shape[1] * facts.shape[2];
  return volume.img[offsetOf(voxel) + frame * size] * (volume.hdr.scl_slope || 1) + volume.hdr.scl_inter;
}

// ---------------------------------------------------------------- window

function setWindow([low, high], preset = '') {
  const least = (facts.histogram.high - facts.histogram.low) / 2000;
  if (!(high - low > least)) high = low + least;
  view.window = [low, high];
  view.preset = preset;
  view.image.cal_min = low;
  view.image.cal_max = high;
  view.nv.updateGLVolume();
  showWindow();
}

function presetOf([low, high]) {
  const near = facts.presets.find((preset) => Math.abs(preset.low - low) < 1e-6 && Math.abs(preset.high - high) < 1e-6);
  return near ? near.key : '';
}

function setPreset(key) {
  const preset = facts.presets.find((one) => one.key === key);
  if (preset) setWindow([preset.low, preset.high], key);
}

function invert() {
  view.inverted = !view.inverted;
  view.image.colormapInvert = view.inverted;
  view.nv.updateGLVolume();
  refreshPanels();
}

// ---------------------------------------------------------------- layout

function setLayout(name) {
  view.layout = name;
  const plane = {axial: 2, coronal: 1, sagittal: 0}[name];
  if (plane !== undefined) view.axis = plane;
  view.nv.setSliceType(LAYOUTS[name]);
  if (view.ready) showLayers(); else refreshPanels();
}

function setConvention(radiological) {
  view.radiological = radiological;
  view.nv.setRadiologicalConvention(radiological);
  refreshPanels();
}

function setCrosshair(on) {
  view.crosshair = on;
  view.nv.drawScene();
  refreshPanels();
}

function setSmooth(on) {
  view.smooth = on;
  view.nv.setInterpolation(!on);
  refreshPanels();
}

function setVolume(index) {
  view.volume = (index + facts.volumes) % facts.volumes;
  view.nv.setFrame4D(view.image.id, view.volume);
  view.nv.drawScene();
  refreshPanels();
}

function zoom(factor) {
  const [x, y, z, before] = view.nv.scene.pan2Dxyzmm;
  const after = Math.min(Math.max(before * factor, 1), 20);
  const mm = view.nv.frac2mm(view.nv.scene.crosshairPos);
  const change = before - after;
  const moved = after === 1 ? [0, 0, 0] : [x + change * mm[0], y + change * mm[1], z + change * mm[2]];
  view.nv.setPan2Dxyzmm([...moved, after]);
}

function resetView() {
  view.nv.setPan2Dxyzmm([0, 0, 0, 1]);
  view.nv.volScaleMultiplier = 1;
  view.nv.setRenderAzimuthElevation(110, 10);
}

// ---------------------------------------------------------------- tiles

// What the canvas shows where, in CSS pixels; `axis` is -1 for the 3D view.
function tiles() {
  const dpr = view.nv.uiData.dpr || 1;
  return view.nv.screenSlices.map((tile) => {
    const [edge, top, wide, height] = tile.leftTopWidthHeight.map((length) => length / dpr);
    const left = Math.min(edge, edge + wide), width = Math.abs(wide);
    const axis = tile.axCorSag > 2 ? -1 : 2 - tile.axCorSag;
    return {left, top, width, height, axis, mirrored: wide < 0, corner: tile.leftTopMM, field: tile.fovMM, mm: Math.abs((tile.fovMM || [0])[0])};
  });
}

// Letters at the left, right, top and bottom of a plane across `axis`.
function letters(axis) {
  const [across, up] = [0, 1, 2].filter((other) => other !== axis);
  const backwards = axis === 0 || view.radiological;  // the front is left in sagittal pictures
  const [left, right] = backwards ? [...ENDS[across]].reverse() : ENDS[across];
  return {left, right, top: ENDS[up][1], bottom: ENDS[up][0]};
}

function sliceText(axis) {
  const voxel = here();
  const index = fileVoxel(voxel)[facts.axes[axis]];
  const name = say(facts.oriented ? PLANES[axis] : 'Slice');
  if (facts.flatAxis !== null) return facts.oriented ? name : '';
  const middle = facts.shape.map((length) => (length - 1) / 2);
  middle[axis] = voxel[axis];
  const mm = world(middle)[axis];
  const place = facts.oriented ? `, ${ENDS[axis][mm >= 0 ? 1 : 0]} ${Math.abs(mm).toFixed(1)} mm` : '';
  return `${name} ${index}${place}`;
}

// Where on a tile the crosshair stands, in pixels of the tile.
function crossOn(tile) {
  const voxel = here(), [across, up] = [0, 1, 2].filter((other) => other !== tile.axis);
  const share = (axis, k) => (voxel[axis] * facts.spacing[axis] - tile.corner[k]) / tile.field[k];
  const x = tile.mirrored ? 1 - share(across, 0) : share(across, 0);
  return [x * tile.width, (1 - share(up, 1)) * tile.height];
}

function crossLines(tile) {
  const [x, y] = crossOn(tile), gap = Math.min(16, tile.width / 20), lines = [];
  const line = (left, top, width, height) => {
    if (width <= 0 || height <= 0) return;
    const element = make('i', {className: 'lv-cross'});
    Object.assign(element.style, {left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`});
    lines.push(element);
  };
  line(0, Math.round(y), x - gap, 1); line(x + gap, Math.round(y), tile.width - x - gap, 1);
  line(Math.round(x), 0, 1, y - gap); line(Math.round(x), y + gap, 1, tile.height - y - gap);
  return lines;
}

function scaleOf(tile) {
  const perMm = tile.width / (tile.mm || 1);
  const length = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter((mm) => mm * perMm < Math.min(140, tile.width * 0.3)).pop();
  return length ? {width: length * perMm, text: `${length} ${facts.sized ? 'mm' : 'px'}`} : null;
}

function drawTiles() {
  const holder = find('.lv-tiles'), shown = tiles();
  drawOutlines(shown);
  holder.replaceChildren(...shown.map((tile) => {
    const box = make('div', {className: 'lv-tile'});
    Object.assign(box.style, {left: `${tile.left}px`, top: `${tile.top}px`, width: `${tile.width}px`, height: `${tile.height}px`});
    if (tile.axis < 0) return box;
    if (view.crosshair) box.append(...crossLines(tile));
    if (facts.oriented) {
      const room = {left: true, right: true, top: tile.height > 110, bottom: tile.height > 110 && tile.width > 420};
      for (const [side, letter] of Object.entries(letters(tile.axis))) if (room[side]) box.append(make('span', {className: `lv-letter lv-${side}`, textContent: letter}));
    }
    const scale = tile.height < 70 ? null : scaleOf(tile);
    if (scale) {
      const bar = make('span', {className: 'lv-scale', textContent: scale.text});
      bar.style.width = `${scale.width}px`;
      box.append(bar);
    }
    box.append(make('span', {className: 'lv-plane', textContent: sliceText(tile.axis)}));
    return box;
  }));
}

function number(value) {
  const size = Math.abs(value);
  if (Number.isInteger(value)) return String(value).replace('-', '−');
  return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 4).replace('-', '−');
}

function showPlace() {
  const voxel = here();
  const mm = world(voxel).map((at) => at.toFixed(1).replace('-', '−')).join(', ');
  const index = fileVoxel(voxel).slice(0, facts.flatAxis === null ? 3 : 2).join(', ');
  const show = (selector, ...pairs) => find(selector).replaceChildren(...pairs.flatMap(([name, text]) => [make('i', {textContent: name}), make('b', {textContent: text}), '  ']));
  show('.lv-where', ...(facts.oriented ? [['RAS mm', mm]] : []), [facts.sized ? 'voxel' : 'pixel', index]);
  show('.lv-value', [facts.hounsfield ? 'HU' : 'value', number(valueAt(view.image, voxel, view.volume))]);
  const named = view.layers.filter((layer) => layer.visible).flatMap((layer) => {
    const value = valueAt(layer.volume, voxel);
    if (layer.isMap) return value ? [`${layer.name} ${number(value)}`] : [];
    const label = layer.labels[(layer === view.edited ? view.drawing.bitmap[offsetOf(voxel)] : value) - 1];
    return label ? [label.name] : [];
  });
  const told = view.told && view.told.voxel.every((at, axis) => at === voxel[axis]) ? [['area', view.told.text]] : [];
  show('.lv-labels', ...(named.length && !told.length ? [['here', named.join(', ')]] : []), ...told);
  showSliders(voxel);
}

// Draw the tiles with the scene, and neither before all is there.
function drawWithTiles() {
  const draw = view.nv.drawScene.bind(view.nv);
  view.nv.drawScene = (...given) => {
    if (!view.ready) return undefined;
    const done = draw(...given);
    drawTiles();
    showPlace();
    return done;
  };
}

// ---------------------------------------------------------------- the mouse

function tileAt(event) {
  const box = find('.lv-stage').getBoundingClientRect();
  const x = event.clientX - box.left, y = event.clientY - box.top;
  return tiles().find((tile) => x >= tile.left && x < tile.left + tile.width && y >= tile.top && y < tile.top + tile.height);
}

function watchStage() {
  const stage = find('.lv-stage');
  let dragged = null;
  stage.addEventListener('mousedown', (event) => {
    root.focus();
    if (event.button !== 2) return;
    event.stopPropagation();
    dragged = {x: event.clientX, y: event.clientY, window: view.window};
  }, true);
  window.addEventListener('mousemove', (event) => {
    if (!dragged) return;
    const {histogram} = facts, unit = (histogram.high - histogram.low) / 500;
    const [low, high] = dragged.window;
    const level = (low + high) / 2 + (event.clientY - dragged.y) * unit;
    const width = Math.max((high - low) + (event.clientX - dragged.x) * unit, unit);
    setWindow([level - width / 2, level + width / 2]);
  });
  window.addEventListener('mouseup', () => { dragged = null; });
  stage.addEventListener('mousemove', (event) => {
    const tile = tileAt(event);
    if (tile && tile.axis >= 0) view.axis = tile.axis;
  });
  stage.addEventListener('dblclick', (event) => {  // a plane alone, and all planes again
    event.stopPropagation();
    const tile = tileAt(event);
    if (view.edited || facts.flatAxis !== null || !tile) return;
    if (view.layout !== 'mpr') setLayout('mpr');
    else setLayout(tile.axis < 0 ? 'render' : PLANES[tile.axis].toLowerCase());
  }, true);
  stage.addEventListener('wheel', (event) => {
    if (root.dataset.whole === undefined && !root.contains(document.activeElement)) {
      event.stopPropagation();  // the page around the viewer scrolls until somebody clicks into it
      return;
    }
    if (!event.ctrlKey) return;
    event.preventDefault();
    event.stopPropagation();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
  }, {capture: true, passive: false});
}

// ---------------------------------------------------------------- the view as a picture

function picture() {
  const source = view.nv.canvas, dpr = view.nv.uiData.dpr || 1;
  view.nv.drawScene();
  const canvas = make('canvas', {width: source.width, height: source.height + Math.round(30 * dpr)});
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#0a0c0f';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 0, 0);
  if (view.outlines) pen.drawImage(find('.lv-outlines'), 0, 0);
  pen.scale(dpr, dpr);
  const bounds = find('.lv-stage').getBoundingClientRect();
  for (const line of find('.lv-tiles').querySelectorAll('i')) {
    const box = line.getBoundingClientRect();
    pen.fillStyle = 'rgb(88 180 229 / 70%)';
    pen.fillRect(box.left - bounds.left, box.top - bounds.top, box.width, box.height);
  }
  for (const mark of find('.lv-tiles').querySelectorAll('span')) {
    const box = mark.getBoundingClientRect(), style = getComputedStyle(mark);
    pen.font = `${style.fontWeight} ${style.fontSize} sans-serif`;
    pen.fillStyle = style.color;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    const x = box.left - bounds.left, y = box.top - bounds.top;
    pen.fillText(mark.textContent, x + box.width / 2, y + box.height / 2);
    if (mark.className === 'lv-scale') pen.fillRect(x, y + box.height - 1.5, box.width, 1.5);
  }
  pen.font = '12px sans-serif';
  pen.textAlign = 'left';
  pen.fillStyle = '#8b98a5';
  const [low, high] = view.window;
  const said = [facts.name, `level ${number(Math.round((low + high) * 5) / 10)}, width ${number(Math.round((high - low) * 10) / 10)}`];
  if (facts.oriented) said.push(view.radiological ? 'radiological convention' : 'neurological convention');
  pen.fillText([...said, 'research use only'].join('   |   '), 10, source.height / dpr + 15);
  return canvas;
}

function save(blob, name) {
  const link = make('a', {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
