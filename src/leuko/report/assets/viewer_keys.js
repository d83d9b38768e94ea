// Keys, and the list of them.
const KEYS = [
  ['1 – 5', 'planes, one plane, 3D'], ['↑ ↓', 'next, previous slice (wheel)'],
  ['Page ↑ ↓', 'ten slices'], ['← →', 'previous, next volume'],
  ['W', 'next window'], ['I', 'invert black and white'],
  ['Right drag', 'width (across), level (down)'], ['R', 'radiological or neurological'],
  ['+ −', 'zoom (Ctrl + wheel)'], ['Home', 'reset zoom and turn'],
  ['Middle drag', 'move the picture (Shift + drag)'], ['Double click', 'one plane, all planes'],
  ['N  Shift N', 'next, previous lesion of the mask'], ['X', 'crosshair'],
  ['V', 'smooth or voxels'], ['O', 'overlays on and off'],
  ['L', 'outlines or filled'], ['P', 'save the view as a picture'],
  ['D', 'draw: begin, end'], ['B  E  F', 'pen, eraser, filled outline'],
  ['[  ]', 'smaller, larger pen'], ['H', 'fill holes in the slice'],
  ['Alt', 'erase while held'], ['Ctrl Z  Y', 'undo, redo'],
  ['Ctrl S', 'save the mask'], ['?', 'this list'],
];

function toggleHelp(on = find('.lv-help').hidden) {
  const help = find('.lv-help');
  if (!help.firstChild) {
    const list = make('dl', {}, ...KEYS.flatMap(([keys, text]) => [make('dt', {}, make('kbd', {textContent: keys})), make('dd', {textContent: text})]));
    help.append(make('div', {}, make('h2', {textContent: 'Keys'}), list));
    help.addEventListener('click', () => toggleHelp(false));
  }
  help.hidden = !on;
}

function nextPreset() {
  const at = facts.presets.findIndex((preset) => preset.key === view.preset);
  setPreset(facts.presets[(at + 1) % facts.presets.length].key);
}

function toggleDrawing() {
  if (view.edited) edit(null);
  else if (facts.maskHeader) {
    const layer = view.layers.find((one) => one.editable && one.visible);
    if (layer) edit(layer); else newMask();
  }
}

function thicker(by) {
  view.drawing.size = Math.max(0, view.drawing.size + by * Math.min(...facts.spacing));
  refreshPanels();
}

function tool(name) { if (view.edited) { view.drawing.tool = name; refreshPanels(); } }

const ACTIONS = {
  ArrowUp: () => step(1), ArrowDown: () => step(-1), PageUp: () => step(10), PageDown: () => step(-10),
  ArrowRight: () => facts.volumes > 1 && setVolume(view.volume + 1), ArrowLeft: () => facts.volumes > 1 && setVolume(view.volume - 1),
  Home: resetView, '+': () => zoom(1.15), '=': () => zoom(1.15), '-': () => zoom(1 / 1.15),
  w: nextPreset, i: invert, r: () => facts.oriented && setConvention(!view.radiological), x: () => setCrosshair(!view.crosshair),
  v: () => setSmooth(!view.smooth), o: toggleLayers, l: () => setOutlines(!view.outlines), p: savePicture,
  n: (event) => nextComponent(event.shiftKey ? -1 : 1), d: toggleDrawing, b: () => tool('pen'), e: () => tool('eraser'), f: () => tool('outline'),
  h: () => view.edited && fillHoles(), '[': () => thicker(-1), ']': () => thicker(1), '?': () => toggleHelp(), Escape: () => toggleHelp(false),
};
const WITH_CONTROL = {z: () => undo(), y: redo, s: saveMask};

function watchKeys() {
  const typed = (target) => target.matches && target.matches('input[type=number], input[type=text], select');
  const heard = root.dataset.whole === undefined ? root : document;
  heard.addEventListener('keydown', (event) => {
    if (view.nv && event.target === view.nv.canvas) event.stopPropagation();  // NiiVue has keys of its own
    if (typed(event.target) || !view.ready) return;
    const slides = event.target.matches && event.target.matches('input[type=range]') && event.key.startsWith('Arrow');
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const layouts = facts.flatAxis === null ? Object.keys(LAYOUTS) : [];
    const action = event.ctrlKey || event.metaKey ? WITH_CONTROL[key] : ACTIONS[key] || (layouts[Number(key) - 1] && (() => setLayout(layouts[Number(key) - 1])));
    if (!action || slides || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action(event);
  }, true);
}

Object.assign(view, {nextComponent, goTo, here, world, fileVoxel, tiles, setWindow, setPreset, setLayout, setConvention, setVolume, edit, newMask, newLabel, undo, redo, fillHoles, fillOutline, stamp, beginStroke, endStroke, maskFile, maskName, picture, valueAt});
