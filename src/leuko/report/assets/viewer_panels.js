// The side panels and the bar: each control shows the state, and changes it through the functions of the stage.
const shownBy = [];  // called when the state changes
function refreshPanels() { for (const show of shownBy) show(); }

function panel(title, ...children) {
  const box = make('section', {className: 'lv-panel'}, make('h2', {textContent: title}), ...children);
  find('.lv-side').append(box);
  return box;
}

function button(text, title, press, pressed) {
  const element = make('button', {type: 'button', textContent: text, title});
  element.addEventListener('click', () => { press(); root.focus(); });
  if (pressed) shownBy.push(() => element.setAttribute('aria-pressed', String(pressed())));
  return element;
}

function slider({min, max, step: by, label, change}) {
  const element = make('input', {type: 'range', min, max, step: by, 'aria-label': label});
  element.addEventListener('input', () => change(Number(element.value)));
  return element;
}

function buildPanels() {
  buildBar();
  buildWindow();
  if (facts.flatAxis === null) buildPlace();
  if (facts.volumes > 1) buildVolumes();
  buildLayers();
  refreshPanels();
}

// ---------------------------------------------------------------- the bar

function describe() {
  const unit = facts.sized ? 'mm' : 'px';
  const shape = facts.fileShape.filter((length, axis) => length > 1 || axis < 2).join(' × ');
  const spacing = facts.fileSpacing.map((length) => Number(length.toFixed(2)));
  const said = [facts.volumes > 1 ? `${shape} × ${facts.volumes}` : shape];
  if (facts.sized) said.push(`${spacing.join(' × ')} ${unit}`);
  if (facts.oriented) said.push(facts.orientation);
  else said.push(say('sides unknown'));
  if (facts.degrees >= 1) said.push(say(`oblique ${facts.degrees}°`));
  if (facts.factors.some((factor) => factor > 1)) said.push(say(`reduced ${facts.factors.join(' × ')}`));
  return said.join('  ·  ');
}

function buildBar() {
  find('.lv-facts').textContent = describe();
  find('.lv-title').title = `${facts.name}: ${describe()}`;
  const names = facts.flatAxis === null ? {mpr: 'Planes', axial: 'Axial', coronal: 'Coronal', sagittal: 'Sagittal', render: '3D'} : {};
  Object.entries(names).forEach(([name, text], index) => {
    find('.lv-layouts').append(button(text, `${text} (${index + 1})`, () => setLayout(name), () => view.layout === name));
  });
  const actions = {
    convention: () => setConvention(!view.radiological), crosshair: () => setCrosshair(!view.crosshair),
    smooth: () => setSmooth(!view.smooth), picture: savePicture, help: () => toggleHelp(),
  };
  for (const [name, press] of Object.entries(actions)) {
    find(`[data-do=${name}]`).addEventListener('click', () => { press(); root.focus(); });
  }
  shownBy.push(() => {
    const side = find('[data-do=convention]');
    side.hidden = !facts.oriented;
    const [left, right] = view.radiological ? ['R', 'L'] : ['L', 'R'];
    side.replaceChildren(make('b', {textContent: `${left}|${right}`}), say(view.radiological ? 'Radiological' : 'Neurological'));
    side.title = say(`The patient's right is on the ${view.radiological ? 'left' : 'right'} of axial and coronal pictures. Click to change (R)`);
    find('[data-do=crosshair]').setAttribute('aria-pressed', String(view.crosshair));
    find('[data-do=smooth]').setAttribute('aria-pressed', String(view.smooth));
  });
}

function savePicture() { picture().toBlob((blob) => save(blob, `${facts.stem}_view.png`)); }

// ---------------------------------------------------------------- window

let showWindow = () => {};

function buildWindow() {
  const {histogram} = facts, range = histogram.high - histogram.low, by = range / 1000;
  const choice = make('select', {'aria-label': 'Window'}, ...facts.presets.map((preset) => make('option', {value: preset.key, textContent: preset.label})), make('option', {value: '', textContent: 'Custom'}));
  choice.addEventListener('change', () => { setPreset(choice.value); root.focus(); });
  const row = (name, get, set, min, max) => {
    const bar = slider({min, max, step: by, label: name, change: set});
    const field = make('input', {type: 'number', step: 'any', 'aria-label': name});
    field.addEventListener('change', () => set(Number(field.value)));
    return {element: make('div', {className: 'lv-row'}, make('label', {textContent: name}), bar, field), show: () => { bar.value = get(); field.value = Number(get().toPrecision(4)); }};
  };
  const level = () => (view.window[0] + view.window[1]) / 2, width = () => view.window[1] - view.window[0];
  const rows = [
    row('Level', level, (value) => setWindow([value - width() / 2, value + width() / 2]), histogram.low, histogram.high),
    row('Width', width, (value) => { const middle = level(); setWindow([middle - value / 2, middle + value / 2]); }, by, range),
  ];
  const graph = make('canvas', {className: 'lv-histogram', width: 496, height: 108, title: 'Drag: the nearer end of the window'});
  dragGraph(graph);
  const flip = button('Invert', 'Black on white (I)', invert, () => view.inverted);
  const box = panel(facts.hounsfield ? 'Window (HU)' : 'Window', choice, graph, ...rows.map((one) => one.element));
  box.querySelector('h2').append(flip);
  showWindow = () => {
    choice.value = view.preset;
    for (const one of rows) one.show();
    drawGraph(graph);
  };
}

function drawGraph(graph) {
  const pen = graph.getContext('2d'), {histogram} = facts, {width, height} = graph;
  const at = (value) => (value - histogram.low) / (histogram.high - histogram.low) * width;
  const [low, high] = view.window.map(at);
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = '#3a4754';
  histogram.bins.forEach((share, index) => pen.fillRect(index * width / histogram.bins.length, height - share * height * 0.92, width / histogram.bins.length - 0.6, share * height));
  const ramp = pen.createLinearGradient(low, 0, Math.max(high, low + 1), 0);
  ramp.addColorStop(0, 'rgb(88 180 229 / 8%)');
  ramp.addColorStop(1, 'rgb(88 180 229 / 38%)');
  pen.fillStyle = ramp;
  pen.fillRect(low, 0, high - low, height);
  pen.fillStyle = '#58b4e5';
  for (const x of [low, high]) pen.fillRect(Math.min(Math.max(x - 1, 0), width - 2), 0, 2.5, height);
}

function dragGraph(graph) {
  let end = -1;
  const value = (event) => {
    const box = graph.getBoundingClientRect();
    return facts.histogram.low + (event.clientX - box.left) / box.width * (facts.histogram.high - facts.histogram.low);
  };
  graph.addEventListener('pointerdown', (event) => {
    graph.setPointerCapture(event.pointerId);
    const at = value(event);
    end = Math.abs(at - view.window[0]) < Math.abs(at - view.window[1]) ? 0 : 1;
  });
  graph.addEventListener('pointermove', (event) => {
    if (end < 0) return;
    const changed = [...view.window];
    changed[end] = value(event);
    if (changed[1] > changed[0]) setWindow(changed);
  });
  graph.addEventListener('pointerup', () => { end = -1; });
}

// ---------------------------------------------------------------- position and volumes

let showSliders = () => {};

function buildPlace() {
  const rows = [2, 1, 0].map((axis) => {
    const bar = slider({min: 0, max: facts.shape[axis] - 1, step: 1, label: PLANES[axis], change: (value) => { const voxel = here(); voxel[axis] = value; goTo(voxel); }});
    const field = make('input', {type: 'number', step: 1, min: 0, max: facts.fileShape[facts.axes[axis]] - 1, 'aria-label': `${PLANES[axis]} slice`});
    field.addEventListener('change', () => {
      const own = facts.axes[axis], at = Number(field.value), voxel = here();
      voxel[axis] = Math.floor((facts.flipped[axis] ? facts.fileShape[own] - 1 - at : at) / facts.factors[axis]);
      goTo(voxel);
    });
    const name = facts.oriented ? PLANES[axis] : `Axis ${axis + 1}`;
    return {axis, bar, field, element: make('div', {className: 'lv-row'}, make('label', {textContent: name}), bar, field)};
  });
  panel('Slices', ...rows.map((row) => row.element));
  showSliders = (voxel) => {
    const index = fileVoxel(voxel);
    for (const row of rows) {
      row.bar.value = voxel[row.axis];
      if (document.activeElement !== row.field) row.field.value = index[facts.axes[row.axis]];
    }
  };
}

function play() {
  clearInterval(view.playing);
  view.playing = view.playing ? 0 : setInterval(() => setVolume(view.volume + 1), 150);
  refreshPanels();
}

function buildVolumes() {
  const bar = slider({min: 0, max: facts.volumes - 1, step: 1, label: 'Volume', change: setVolume});
  const text = make('output');
  const box = panel('Volume', make('div', {className: 'lv-row'}, text, bar, button('Play', 'Play the volumes one after the other', play, () => view.playing > 0)));
  box.dataset.panel = 'volume';
  shownBy.push(() => {
    bar.value = view.volume;
    const time = facts.seconds ? `, ${number(Math.round(view.volume * facts.seconds * 10) / 10)} s` : '';
    text.textContent = `${view.volume} / ${facts.volumes - 1}`;
    bar.title = `Volume ${view.volume}, counted from 0${time}`;
  });
}

// ---------------------------------------------------------------- layers

function recolour(layer) {
  layer.volume.setColormapLabel(palette(layer.labels));
  showLayers();
}

function toggleLayers() {
  const on = !view.layers.some((layer) => layer.visible);
  for (const layer of view.layers) layer.visible = on;
  showLayers();
}

// The voxel of a label that lies nearest to the label's centre.
function centreOf(layer, ordinal) {
  const values = layer === view.edited ? view.drawing.bitmap : layer.volume.img, [nx, ny] = facts.shape;
  const sum = [0, 0, 0], held = [];
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== ordinal) continue;
    const voxel = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    voxel.forEach((at, axis) => { sum[axis] += at; });
    held.push(voxel);
  }
  if (!held.length) return null;
  const centre = sum.map((at) => at / held.length);
  const distance = (voxel) => voxel.reduce((total, at, axis) => total + ((at - centre[axis]) * facts.spacing[axis]) ** 2, 0);
  return held.reduce((best, voxel) => (distance(voxel) < distance(best) ? voxel : best));
}

function amount(voxels) {
  if (!facts.sized) return `${voxels} px`;
  const ml = voxels * facts.voxelMm3 / 1000;
  return ml >= 0.1 || ml === 0 ? `${ml.toFixed(ml >= 100 ? 0 : 1)} ml` : `${(ml * 1000).toFixed(0)} mm³`;
}

function labelRow(layer, label, index) {
  const on = make('input', {type: 'checkbox', checked: !label.hidden, 'aria-label': `Show ${label.name}`});
  on.addEventListener('change', () => { label.hidden = !on.checked; recolour(layer); });
  const swatch = make('span', {className: 'lv-swatch'});
  swatch.style.background = label.colour;
  const name = button(label.name, `${label.name}: go there`, () => { const voxel = centreOf(layer, index + 1); if (voxel) goTo(voxel); });
  return make('li', {}, on, swatch, name, make('span', {className: 'lv-volume', textContent: amount(label.voxels)}));
}

function swatchOf(layer) {
  if (layer.isMap) {
    const swatch = make('span', {className: 'lv-swatch'});
    swatch.style.background = `linear-gradient(45deg, ${facts.heat.map(([share, colour]) => `${colour} ${100 * share}%`).join(', ')})`;
    return swatch;
  }
  if (layer.labels.length > 1) {
    const swatch = make('span', {className: 'lv-swatch'});
    swatch.style.background = `conic-gradient(${layer.labels.slice(0, 8).map((label, i, all) => `${label.colour} ${360 * i / all.length}deg ${360 * (i + 1) / all.length}deg`).join(', ')})`;
    return swatch;
  }
  const colour = make('input', {type: 'color', value: layer.labels[0].colour, title: 'Colour', 'aria-label': `Colour of ${layer.name}`});
  colour.addEventListener('input', () => { layer.labels[0].colour = colour.value; recolour(layer); });
  return colour;
}

function layerBox(layer) {
  const on = make('input', {type: 'checkbox', checked: layer.visible, title: 'Shown', 'aria-label': `Show ${layer.name}`});
  on.addEventListener('change', () => { layer.visible = on.checked; showLayers(); root.focus(); });
  const head = make('div', {className: 'lv-layer-head'}, on, swatchOf(layer), make('span', {className: 'lv-layer-name', textContent: layer.name, title: layer.name}));
  const can = layer.editable && facts.maskHeader;
  head.append(can ? button(layer === view.edited ? 'Editing' : 'Edit', 'Draw on this mask (D)', () => edit(layer === view.edited ? null : layer)) : make('span'));
  const opacity = slider({min: 0, max: 1, step: 0.05, label: `Opacity of ${layer.name}`, change: (value) => {
    layer.opacity = value;
    if (layer === view.edited) showDrawing(); else { layer.volume.opacity = filled(layer); view.nv.updateGLVolume(); }
  }});
  opacity.value = layer.opacity;
  const total = layer.isMap ? '' : amount(layer.labels.reduce((sum, label) => sum + label.voxels, 0));
  const box = make('div', {className: 'lv-layer'}, head, make('div', {className: 'lv-row'}, make('label', {textContent: 'Opacity'}), opacity, make('span', {className: 'lv-note', textContent: total})));
  if (layer.isMap) {
    const heat = make('div', {className: 'lv-heat'});
    heat.style.background = `linear-gradient(90deg, ${facts.heat.map(([share, colour]) => `${colour} ${100 * share}%`).join(', ')})`;
    box.append(heat, make('div', {className: 'lv-heat-ends'}, ...layer.limits.map((limit) => make('span', {textContent: String(Number(limit.toPrecision(3)))}))));
  } else if (layer.labels.length > 1) {
    box.append(make('ul', {className: 'lv-label-list'}, ...layer.labels.map((label, index) => labelRow(layer, label, index))));
  }
  return box;
}

function buildLayers() {
  const list = make('div');
  const outline = button('Outlines', 'Outlines or filled areas (L)', () => setOutlines(!view.outlines), () => view.outlines);
  const box = panel('Overlays', list);
  const draw = make('div');
  box.querySelector('h2').append(outline);
  box.append(draw);
  let last = '';
  shownBy.push(() => {
    outline.hidden = !view.layers.some((layer) => !layer.isMap);
    const state = JSON.stringify([view.layers.map(({volume, ...layer}) => layer), view.edited && view.edited.name]);
    if (state === last || list.contains(document.activeElement) && document.activeElement.type === 'color') return;
    last = state;
    const scrolled = [...list.querySelectorAll('ul')].map((one) => one.scrollTop);
    list.replaceChildren(...(view.layers.length ? view.layers.map(layerBox) : [make('p', {className: 'lv-note', textContent: 'None.'})]));
    list.querySelectorAll('ul').forEach((one, index) => { one.scrollTop = scrolled[index] || 0; });
  });
  buildDrawing();
}
