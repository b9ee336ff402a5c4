// The part of the map in sight, and the ways to move it: wheel, drag, pinch, buttons, keys.
const plot = element("plot");
const frame = element("map");
const view = { x: [0, 1], y: [0, 1] };
const home = { unit: 1 };  // data units per pixel when the whole map is in sight
const listeners = [];

const width = () => Math.max(1, frame.clientWidth);
const height = () => Math.max(1, frame.clientHeight);
const unit = () => (view.x[1] - view.x[0]) / width();
const magnification = () => home.unit / unit();
const toScreen = (x, y) => [(x - view.x[0]) / unit(), (view.y[1] - y) / unit()];

function extent(rows) {
  const box = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  for (const i of rows) {
    box.left = Math.min(box.left, xs[i]);
    box.right = Math.max(box.right, xs[i]);
    box.bottom = Math.min(box.bottom, ys[i]);
    box.top = Math.max(box.top, ys[i]);
  }
  return box;
}

function unitFor(box) {
  const room = (side) => Math.max(40, side * 0.88);
  return Math.max((box.right - box.left) / room(width()), (box.top - box.bottom) / room(height()), 1e-9);
}

function look(x, y, perPixel) {
  view.x = [x - perPixel * width() / 2, x + perPixel * width() / 2];
  view.y = [y - perPixel * height() / 2, y + perPixel * height() / 2];
}

function move(x, y, perPixel) {
  look(x, y, Math.min(home.unit * 1.6, Math.max(home.unit / 400, perPixel)));
  return apply();
}

function apply(extra = {}) {
  for (const listener of listeners) listener();
  return Plotly.update(plot, { "marker.size": pointSize() }, { "xaxis.range": [...view.x], "yaxis.range": [...view.y], ...extra });
}

const middle = () => [(view.x[0] + view.x[1]) / 2, (view.y[0] + view.y[1]) / 2];
const zoom = (factor) => move(...middle(), unit() / factor);
const pan = (right, up) => move(middle()[0] + right * unit(), middle()[1] + up * unit(), unit());

function lookAtAll() {
  const box = extent(xs.keys());
  const point = box.right === box.left && box.top === box.bottom;
  home.unit = point ? 1 / width() : unitFor(box);
  look((box.left + box.right) / 2, (box.bottom + box.top) / 2, home.unit);
}

function showAll() {
  lookAtAll();
  return apply();
}

function showRows(rows) {
  if (!rows.length) return undefined;
  const box = extent(rows);
  return move((box.left + box.right) / 2, (box.bottom + box.top) / 2, Math.max(unitFor(box), home.unit / 12));
}

// Dots grow as one zooms in, and are larger where there are few.
function pointSize() {
  const base = Math.min(9, Math.max(3.2, 280 / Math.sqrt(count) * Math.sqrt(width() * height()) / 900));
  return Math.min(14, base * Math.max(1, magnification()) ** 0.35);
}

// Without WebGL points are SVG, which is slow: a large map is thinned out, and the page says so.
const svgLimit = 6000;
const webgl = (() => {
  const context = document.createElement("canvas").getContext("webgl");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(context);
})();
const stride = webgl ? 1 : Math.ceil(count / svgLimit);
const drawn = Uint32Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride);

function trace(style) {
  return {
    type: webgl ? "scattergl" : "scatter", mode: "markers", hoverinfo: "none",
    x: Array.from(drawn, (i) => xs[i]), y: Array.from(drawn, (i) => ys[i]),
    marker: { size: pointSize(), cmin: 0, cmax: 1, opacity: 0.8, line: { width: 0 }, color: style.color, colorscale: style.colorscale },
    selectedpoints: style.selected, selected: { marker: { opacity: 0.95 } }, unselected: { marker: { opacity: style.faded } },
  };
}

function restyle({ color, colorscale, selected, faded }) {
  return Plotly.restyle(plot, {
    "marker.color": [color], "marker.colorscale": [colorscale], selectedpoints: [selected], "unselected.marker.opacity": faded,
  });
}

function layout() {
  const axis = { visible: false, zeroline: false, showgrid: false };
  return {
    width: width(), height: height(), margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: "pan", hovermode: "closest",
    hoverdistance: 12, xaxis: { ...axis, range: [...view.x] }, yaxis: { ...axis, range: [...view.y] },
  };
}

function readView(event) {
  for (const axis of ["x", "y"]) {
    const range = event[`${axis}axis.range`];
    const low = range ? range[0] : event[`${axis}axis.range[0]`];
    const high = range ? range[1] : event[`${axis}axis.range[1]`];
    if (low !== undefined && high !== undefined) view[axis] = [low, high];
  }
  for (const listener of listeners) listener();
}

const keys = {
  ArrowLeft: () => pan(-60, 0), ArrowRight: () => pan(60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
  "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: showAll, Home: showAll,
};

function listen() {
  plot.on("plotly_relayouting", readView);
  plot.on("plotly_relayout", (event) => {
    readView(event);
    if (Math.abs(plot.data[0].marker.size - pointSize()) > 0.2) Plotly.restyle(plot, { "marker.size": pointSize() });
  });
  element("closer").addEventListener("click", () => zoom(1.6));
  element("farther").addEventListener("click", () => zoom(1 / 1.6));
  element("all").addEventListener("click", showAll);
  frame.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  let size = [width(), height()];
  new ResizeObserver(() => {
    if (size[0] === width() && size[1] === height()) return;
    const perPixel = (view.x[1] - view.x[0]) / size[0];
    size = [width(), height()];
    look(...middle(), perPixel);
    apply({ width: size[0], height: size[1] });
  }).observe(frame);
  listenToPinch();
}

// Two fingers: the middle between them stays where it is, the distance sets the zoom.
function listenToPinch() {
  let before = null;
  const read = ([one, two]) => ({ x: (one.clientX + two.clientX) / 2, y: (one.clientY + two.clientY) / 2, apart: Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY) });
  const take = (event) => {
    if (event.touches.length !== 2) { before = null; return; }
    event.preventDefault();
    event.stopPropagation();
    const now = read(event.touches);
    if (before) pinch(before, now);
    before = now;
  };
  for (const name of ["touchstart", "touchmove", "touchend"]) frame.addEventListener(name, take, { capture: true, passive: false });
}

function pinch(before, now) {
  const corner = frame.getBoundingClientRect();
  const next = unit() * before.apart / Math.max(1, now.apart);
  const x = view.x[0] + (before.x - corner.left) * unit();
  const y = view.y[1] - (before.y - corner.top) * unit();
  move(x + (width() / 2 - (now.x - corner.left)) * next, y - (height() / 2 - (now.y - corner.top)) * next, next);
}
