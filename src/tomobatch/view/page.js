"use strict";
// Three linked planes of one volume. A plane is shown from the coarsest level at once, and from
// the finest that is quick to read as soon as it arrives.
const AXES = ["z", "y", "x"];
// Which axis runs down and which to the right in the plane across each axis.
const SIDES = { z: ["y", "x"], y: ["z", "x"], x: ["z", "y"] };
const state = { at: {}, low: 0, high: 1, zoom: 1, pan: { z: 0, y: 0, x: 0 } };
const planes = {};
let volume;
const begun = performance.now();

const byId = (id) => document.getElementById(id);
const size = (axis, level = 0) => volume.levels[level].shape[AXES.indexOf(axis)];
const edge = (axis) => (volume.voxel_um ? volume.voxel_um[0][AXES.indexOf(axis)] : 1);

async function start() {
  volume = await (await fetch("volume.json")).json();
  document.title = byId("name").textContent = volume.name;
  [state.low, state.high] = volume.window;
  for (const axis of AXES) {
    state.at[axis] = Math.floor(size(axis) / 2);
    const canvas = byId(axis);
    planes[axis] = { axis, canvas, shown: null, asked: 0, abort: null };
    const slider = byId(`slide-${axis}`);
    slider.max = size(axis) - 1;
    slider.addEventListener("input", () => move({ [axis]: Number(slider.value) }));
    listen(planes[axis]);
    new ResizeObserver(() => draw(planes[axis])).observe(canvas);
  }
  for (const id of ["low", "high"]) {
    byId(id).addEventListener("change", () => setWindow({ [id]: Number(byId(id).value) }));
  }
  byId("reset").addEventListener("click", reset);
  byId("neuroglancer").href = volume.neuroglancer;
  byId("napari").addEventListener("click", tellNapari);
  addEventListener("keydown", (event) => {
    if (event.target.tagName !== "INPUT" && "+-".includes(event.key)) zoomBy(event.key === "+" ? 1.25 : 0.8);
  });
  setWindow({});
  move({});
}

async function tellNapari() {
  byId("value").textContent = volume.napari;
  await navigator.clipboard?.writeText(volume.napari).catch(() => {});
}

function reset() {
  Object.assign(state, { zoom: 1, pan: { z: 0, y: 0, x: 0 } });
  [state.low, state.high] = volume.window;
  setWindow({});
}

function move(to) {
  const changed = Object.keys(to).length ? AXES.filter((axis) => axis in to) : AXES;
  for (const axis of Object.keys(to)) {
    state.at[axis] = Math.min(Math.max(Math.round(to[axis]), 0), size(axis) - 1);
  }
  for (const axis of AXES) {
    byId(`slide-${axis}`).value = state.at[axis];
    const um = volume.voxel_um ? `, ${(state.at[axis] * edge(axis)).toFixed(1)} µm` : "";
    byId(`at-${axis}`).textContent = `${axis} ${state.at[axis]}${um}`;
  }
  changed.forEach((axis) => load(planes[axis]));
  AXES.forEach((axis) => draw(planes[axis]));
  tell();
}

async function load(plane) {
  const asked = ++plane.asked;
  plane.abort?.abort();
  plane.abort = new AbortController();
  const coarsest = volume.levels.length - 1;
  let finest = volume.levels.findIndex((level, n) => n >= volume.finest && level.best[plane.axis]);
  if (finest < 0) finest = coarsest;
  for (const level of new Set([coarsest, finest])) {
    const factor = size(plane.axis) / size(plane.axis, level);
    const index = Math.min(Math.floor(state.at[plane.axis] / factor), size(plane.axis, level) - 1);
    try {
      const reply = await fetch(`plane/${level}/${plane.axis}/${index}`, { signal: plane.abort.signal });
      const values = new Float32Array(await reply.arrayBuffer());
      if (asked !== plane.asked) return;
      const [down, right] = SIDES[plane.axis];
      plane.shown = { values, height: size(down, level), width: size(right, level), level };
      paint(plane);
      document.body.dataset.firstPlaneMs ??= Math.round(performance.now() - begun);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      return;
    }
  }
  plane.canvas.dataset.level = plane.shown.level;
  plane.canvas.dataset.index = state.at[plane.axis];
}

// From values to greys by the window.
function paint(plane) {
  const { values, height, width } = plane.shown;
  const picture = new ImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  const factor = 255 / (state.high - state.low || 1);
  for (let n = 0; n < values.length; n++) {
    const grey = Math.min(255, Math.max(0, (values[n] - state.low) * factor)) | 0;
    pixels[n] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  plane.picture ??= document.createElement("canvas");
  Object.assign(plane.picture, { width, height });
  plane.picture.getContext("2d").putImageData(picture, 0, 0);
  draw(plane);
  tell();
}

// How the plane lies on its canvas: pixels a voxel of the finest level, and where its corner is.
function frame(plane) {
  const [down, right] = SIDES[plane.axis];
  const { width, height } = plane.canvas;
  const extent = { x: size(right) * edge(right), y: size(down) * edge(down) };
  const scale = Math.min(width / extent.x, height / extent.y) * state.zoom;
  const centre = (axis, length) => length / 2 - (size(axis) / 2 + state.pan[axis]) * edge(axis) * scale;
  return { down, right, scale, left: centre(right, width), top: centre(down, height), extent };
}

function draw(plane) {
  const { canvas, picture } = plane;
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  if (!picture || !width || !height) return;
  const context = canvas.getContext("2d");
  const { down, right, scale, left, top, extent } = frame(plane);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, left, top, extent.x * scale, extent.y * scale);
  context.strokeStyle = "rgba(90, 170, 255, .6)";
  context.beginPath();
  const x = left + (state.at[right] + 0.5) * edge(right) * scale;
  const y = top + (state.at[down] + 0.5) * edge(down) * scale;
  context.moveTo(x, 0); context.lineTo(x, height);
  context.moveTo(0, y); context.lineTo(width, y);
  context.stroke();
  drawScaleBar(context, scale, width, height, ratio);
}

function drawScaleBar(context, scale, width, height, ratio) {
  const most = width / 3 / scale;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = power * [5, 2, 1].find((times) => times * power <= most);
  context.fillStyle = "#fff";
  context.fillRect(12 * ratio, height - 14 * ratio, length * scale, 3 * ratio);
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  const unit = volume.voxel_um ? "µm" : "voxels";
  context.fillText(`${Number(length.toPrecision(2))} ${unit}`, 12 * ratio, height - 20 * ratio);
}

function setWindow(to) {
  Object.assign(state, to);
  for (const id of ["low", "high"]) byId(id).value = Number(state[id].toPrecision(4));
  AXES.forEach((axis) => (planes[axis].shown ? paint(planes[axis]) : draw(planes[axis])));
}

function zoomBy(factor) {
  state.zoom = Math.min(64, Math.max(1, state.zoom * factor));
  if (state.zoom > 1) for (const axis of AXES) state.pan[axis] = state.at[axis] + 0.5 - size(axis) / 2;
  else state.pan = { z: 0, y: 0, x: 0 };
  document.body.dataset.zoom = state.zoom;
  AXES.forEach((axis) => draw(planes[axis]));
}

// The grey value under the cross, of the finest level shown.
function tell() {
  const { shown } = planes.z;
  if (!shown) return;
  const row = Math.floor((state.at.y * shown.height) / size("y"));
  const column = Math.floor((state.at.x * shown.width) / size("x"));
  byId("value").textContent = `value ${shown.values[row * shown.width + column]?.toPrecision(4)}`;
}

function listen(plane) {
  const { canvas, axis } = plane;
  let last = null;
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    last = event;
    canvas.setPointerCapture(event.pointerId);
    drag(plane, event, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons && last) drag(plane, event, last);
    last = event;
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) zoomBy(event.deltaY < 0 ? 1.25 : 0.8);
    else move({ [axis]: state.at[axis] + Math.sign(event.deltaY) });
  }, { passive: false });
}

function drag(plane, event, last) {
  const { down, right, scale, left, top } = frame(plane);
  const ratio = devicePixelRatio || 1;
  const step = { x: (event.offsetX - last.offsetX) * ratio, y: (event.offsetY - last.offsetY) * ratio };
  if (event.buttons & 2) {
    const width = state.high - state.low;
    setWindow({ low: state.low - (step.x * width) / 400, high: state.high - (step.x * width) / 400 + (step.y * width) / 400 });
  } else if (event.shiftKey) {
    state.pan[right] -= step.x / scale / edge(right);
    state.pan[down] -= step.y / scale / edge(down);
    AXES.forEach((axis) => draw(planes[axis]));
  } else {
    move({
      [right]: Math.floor((event.offsetX * ratio - left) / scale / edge(right)),
      [down]: Math.floor((event.offsetY * ratio - top) / scale / edge(down)),
    });
  }
}

start();
