// From the page's parts to a running viewer. Everything that is shared stands in `view`.
const PLANES = ['Sagittal', 'Coronal', 'Axial'];  // by the shown axis that a plane lies across
const ENDS = [['L', 'R'], ['P', 'A'], ['I', 'S']];  // what lies at the low and high end of a shown axis
const LAYOUTS = {mpr: 3, axial: 0, coronal: 1, sagittal: 2, render: 4};  // NiiVue's slice types
const LARGE = 40e6;  // voxels, from where 3D waits until it is asked for
const root = document.getElementById('leuko-viewer');
const facts = JSON.parse(part('facts')[0].textContent);
const view = {
  root, facts, nv: null, layers: [], ready: false,
  window: [...facts.window], preset: '', inverted: false, layout: '', axis: facts.sliceAxis, volume: 0,
  radiological: !facts.neurological, crosshair: true, smooth: true, outlines: false, playing: 0,
};

function part(name) { return root.querySelectorAll(`[data-part="${name}"]`); }
function find(selector) { return root.querySelector(selector); }

// A text in the language of the page; `facts.words` has whole texts and patterns with {1}, {2}.
const patterns = Object.entries(facts.words).filter(([text]) => text.includes('{1}')).map(([text, said]) => {
  const parts = text.split(/\{\d\}/).map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return [new RegExp(`^${parts.join('(.+?)')}$`), said];
});
function say(text) {
  if (Object.hasOwn(facts.words, text)) return facts.words[text];
  for (const [pattern, said] of patterns) {
    const match = pattern.exec(text);
    if (match) return said.replace(/\{(\d)\}/g, (whole, at) => say(match[at]));
  }
  return text;
}
const SAID = ['textContent', 'title', 'aria-label'];

// An element with properties, attributes (those with a dash, and role) and children.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, given] of Object.entries(properties)) {
    const value = SAID.includes(name) && tag !== 'script' ? say(String(given)) : given;
    if (name.includes('-') || name === 'role' || name === 'for') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function streamed(bytes, stream) {
  return new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();
}
function unpacked(element) {
  const bytes = bytesOf(element.textContent.trim());
  element.remove();  // the text is of no more use, and may be long
  return streamed(bytes, new DecompressionStream('gzip'));
}

async function addNiivue() {
  if (globalThis.niivue) return;
  const source = new TextDecoder().decode(await unpacked(part('niivue')[0]));
  document.head.append(make('script', {textContent: source}));
}

function rgb(colour) { return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)); }

// A palette of labels in the form that NiiVue reads: index 0 is clear.
function palette(labels) {
  const table = {R: [0], G: [0], B: [0], A: [0], I: [0], labels: ['']};
  labels.forEach((label, index) => {
    const [r, g, b] = rgb(label.colour);
    table.R.push(r); table.G.push(g); table.B.push(b);
    table.A.push(label.hidden ? 0 : 255); table.I.push(index + 1); table.labels.push(label.name);
  });
  return table;
}

// Below the limit nothing is shown: the first of 256 colours is clear.
function heatColours() {
  const table = {R: [], G: [], B: [], A: [], I: []};
  const stops = [[0, facts.heat[0][1], 0], ...facts.heat.map(([share, colour]) => [Math.max(1, Math.round(255 * share)), colour, 255])];
  for (const [index, colour, alpha] of stops) {
    const [r, g, b] = rgb(colour);
    table.R.push(r); table.G.push(g); table.B.push(b);
    table.A.push(alpha); table.I.push(index);
  }
  return table;
}

async function newVolume(buffer, {colours = 'gray', low = NaN, high = NaN, opacity = 1}) {
  return niivue.NVImage.new(buffer, 'volume.nii', colours, opacity, null, low, high);
}

async function addLayer(about, buffer) {
  const layer = {...about, visible: true, opacity: about.isMap ? 0.6 : 0.5, volume: null};
  if (layer.isMap) {
    layer.volume = await newVolume(buffer, {colours: 'leuko-heat', low: about.limits[0], high: about.limits[1], opacity: layer.opacity});
  } else {
    layer.labels = about.labels.map((label) => ({...label, hidden: false}));
    layer.volume = await newVolume(buffer, {opacity: layer.opacity, low: 0, high: Math.max(1, layer.labels.length)});
    layer.volume.setColormapLabel(palette(layer.labels));
  }
  layer.volume.colorbarVisible = false;
  view.nv.addVolume(layer.volume);
  view.layers.push(layer);
  return layer;
}

async function load() {
  await addNiivue();
  const large = facts.shape.reduce((product, length) => product * length) > LARGE;
  view.nv = new niivue.Niivue({
    logLevel: 'silent', loadingText: '', dragAndDropEnabled: false, backColor: [0, 0, 0, 1],
    crosshairWidth: 0,  // ours is as thin on small voxels as on large ones
    isOrientationTextVisible: false, isOrientCube: false, sagittalNoseLeft: true, isColorbar: false, showLegend: false,
    isForceMouseClickToVoxelCenters: true, isRadiologicalConvention: view.radiological, show3Dcrosshair: false,
    multiplanarForceRender: facts.flatAxis === null && !large, multiplanarShowRender: facts.flatAxis === null && !large ? 1 : 0, multiplanarLayout: 2, multiplanarPadPixels: 2, tileMargin: 0,
    clipPlaneHotKey: 'none', cycleClipPlaneHotKey: 'none', viewModeHotKey: 'none',
    mouseEventConfig: {leftButton: {primary: 8, withShift: 3}, rightButton: 0, centerButton: 3},
  });
  drawWithTiles();
  await view.nv.attachToCanvas(find('.lv-canvas'));
  if (!view.nv.gl) throw new Error('WebGL2 is missing');
  view.nv.addColormap('leuko-heat', heatColours());
  const volumes = part('volume');
  const image = await unpacked(volumes[0]);
  view.header = image.slice(0, 352);
  view.image = await newVolume(image, {low: view.window[0], high: view.window[1]});
  view.nv.addVolume(view.image);
  for (let i = 0; i < facts.layers.length; i++) await addLayer(facts.layers[i], await unpacked(volumes[i + 1]));
}

async function start() {
  if (typeof DecompressionStream === 'undefined') throw new Error('This browser is too old: one of 2023 or later is needed.');
  await load();
  watchStage();
  buildPanels();
  watchDrawing();
  watchKeys();
  setLayout(facts.flatAxis === null ? 'mpr' : PLANES[facts.flatAxis].toLowerCase());
  goTo(facts.start);
  setWindow(view.window, presetOf(view.window));
  find('.lv-message').textContent = '';
  view.ready = true;
  view.nv.drawScene();
  if (root.dataset.whole !== undefined) root.focus();
}

function failed(error) {
  const noWebgl = /webgl/i.test(String(error && error.message));
  view.failed = String(error && error.stack || error);
  find('.lv-message').textContent = noWebgl
    ? say('This browser shows no 3D graphics (WebGL2 is off or missing), which the viewer needs.\nTry another browser, or make a picture: leuko view --png.')
    : `${say('The viewer could not start.')}\n${error && error.message || error}`;
}

root.leuko = view;  // for tests, and for whoever embeds the viewer
let started = null;  // the promise of a viewer that runs
function begin() {
  if (!started) {
    root.classList.add('lv-on');
    find('.lv-message').textContent = say('Loading …');
    started = start().catch(failed);
  }
  return started;
}

// The lesion of a row, or of what else on the page bears one.
function goToLesion(element) {
  const place = facts.places[element.dataset.lesion];
  if (!place) return;
  root.scrollIntoView({behavior: 'smooth', block: 'center'});
  begin().then(() => { if (view.ready) { goTo(place); root.focus({preventScroll: true}); } });
}

if (root.dataset.whole !== undefined) begin();
else if (root.dataset.waits !== undefined) {  // for a click: the page opens quickly
  find('.lv-start').addEventListener('click', begin);
  document.addEventListener('DOMContentLoaded', () => {  // rows may come further down
    for (const element of document.querySelectorAll('[data-lesion]')) {
      if (!facts.places[element.dataset.lesion]) continue;
      element.tabIndex = 0;
      element.classList.add('leads');
      element.addEventListener('click', () => goToLesion(element));
      element.addEventListener('keydown', (event) => { if (event.key === 'Enter') goToLesion(element); });
    }
  });
} else {  // a part of a page costs nothing before somebody comes near it
  const near = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    near.disconnect();
    begin();
  }, {rootMargin: '300px'});
  near.observe(root);
}
